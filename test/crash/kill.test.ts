import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type FailPoint, failPoints } from '../../dist/src/core/outside-world.js'
import { Child } from '../support/child.js'
import { repetitions } from '../support/deep.js'
import { tempFolder } from '../support/temp-folder.js'

// Kills a process that writes, copies and applies, at random moments and at every named fail point.
// Each next process first proves that nothing acknowledged is lost, nothing is there twice, and the
// mirror is healthy and equal. HTAP_KILLS and HTAP_POINT_KILLS set how often, HTAP_SEED repeats a run.
const kills = repetitions('HTAP_KILLS', 3)
const pointKills = repetitions('HTAP_POINT_KILLS', 0)
const seed = Number(process.env['HTAP_SEED'] ?? Date.now() % 1_000_000)
/** The short form comes by a few of the points, other ones with every seed. */
const pointsOfShortForm = 2
/** So long a process may take to come by its fail point. */
const reachMs = 60_000
/** A new database from time to time keeps each proof quick. */
const killsPerDatabase = 25
const killsPerReport = 50
let killsTotal = 0

const armed = fileURLToPath(new URL('../children/arm-fail-point.mjs', import.meta.url))
/** Those of the history have a test of their own. */
const points = (Object.keys(failPoints) as FailPoint[]).filter((it) => !it.startsWith('history'))
/** Reached only after a death at another point. */
const comesAfter: Partial<Record<FailPoint, FailPoint>> = {
  'open.stray-dropped': 'backfill.complete',
}

/** One database and the processes that die on it, one after the other. */
class Victims {
  #path = join(tempFolder(), 'crash.db')
  #acknowledged = 0
  #kills = 0

  constructor(public random: (below: number) => number) {}

  /** A process that dies at a random moment after it has proved its health. */
  async killAnywhere(): Promise<void> {
    const child = this.#start({})
    await this.#untilHealthy(child)
    await new Promise((resolve) => setTimeout(resolve, this.random(600)))
    child.process.kill('SIGKILL')
    await this.#end(child)
    await this.#renewWhenDue()
  }

  /**
   * A process that dies when it comes by a fail point, or in the call that follows it. What another
   * death has to leave behind is there once.
   */
  async killAt(point: FailPoint, hit: number, delayMs: number): Promise<void> {
    const before = comesAfter[point]
    if (before !== undefined) {
      await this.#dieAt(before, 1, 0)
    }
    await this.#dieAt(point, before === undefined ? hit : 1, delayMs)
    await this.#renewWhenDue()
  }

  async #dieAt(point: FailPoint, hit: number, delayMs: number): Promise<void> {
    const child = this.#start({
      NODE_OPTIONS: `--import ${armed}`,
      HTAP_FAIL_POINT: `${point}:${hit}:${delayMs}`,
    })
    const late = setTimeout(() => child.process.kill('SIGTERM'), reachMs)
    await this.#end(child, point)
    clearTimeout(late)
  }

  /** The last word: a process that nobody kills before it has proved its health. */
  async prove(): Promise<void> {
    const child = this.#start({})
    await this.#untilHealthy(child)
    child.process.kill('SIGKILL')
    await this.#end(child)
  }

  /** Begins with another database from time to time, after the last proof on this one. */
  async #renewWhenDue(): Promise<void> {
    if (this.#kills < killsPerDatabase) {
      return
    }
    this.#kills = 0
    await this.prove()
    this.#path = join(tempFolder(), 'crash.db')
    this.#acknowledged = 0
  }

  #start(environment: Record<string, string>): Child {
    const args = [this.#path, String(this.random(1_000_000)), String(this.#acknowledged)]
    return new Child('crash-writer.mjs', args, environment)
  }

  async #untilHealthy(child: Child): Promise<void> {
    const [word, last] = (await child.nextLine()).split(' ')
    expect(word, child.errors).toBe('healthy')
    this.#acknowledged = Number(last)
  }

  /** Takes down what the process acknowledged before it died, as it had to, by SIGKILL. */
  async #end(child: Child, where = 'a random moment'): Promise<void> {
    const { signal } = await child.ended()
    expect(signal, `${where}: ${child.errors}`).toBe('SIGKILL')
    for (const line of child.remainingLines()) {
      this.#acknowledged = Number(line.split(' ')[1])
    }
    if (++killsTotal % killsPerReport === 0) {
      writeSync(1, `${killsTotal} kills\n`)
    }
    this.#kills += 1
  }
}

function randomFrom(start: number): (below: number) => number {
  let state = start
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 4294967296) * below)
  }
}

describe('a killed process', () => {
  it(`should lose nothing in ${kills} kills at random moments (seed ${seed})`, {
    timeout: 7_200_000,
  }, async () => {
    const victims = new Victims(randomFrom(seed))
    for (let kill = 1; kill <= kills; kill++) {
      await victims.killAnywhere()
    }
    await victims.prove()
  })

  const chosen =
    pointKills > 0
      ? points
      : Array.from(
          { length: pointsOfShortForm },
          (_, index) => points[(seed * pointsOfShortForm + index) % points.length]!,
        )
  it.each(chosen)(
    `should lose nothing when it dies at %s (seed ${seed})`,
    {
      timeout: 7_200_000,
    },
    async (point) => {
      const random = randomFrom(seed + points.indexOf(point))
      const victims = new Victims(random)
      for (let kill = 0; kill < Math.max(1, pointKills); kill++) {
        const delayMs = kill % 2 === 0 ? 0 : 1 + random(4)
        await victims.killAt(point, 1 + random(3), delayMs)
      }
      await victims.prove()
    },
  )
})
