import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { repetitions } from '../support/deep.js'
import { tempFolder } from '../support/temp-folder.js'
import { Random } from '../translate/random/random.js'
import { Life } from './life.js'
import type { Operation } from './operation.js'
import { RandomOperations } from './random-operations.js'
import { shrinkScript } from './shrink-script.js'

// Random lives of a database against a model in plain memory: statements, transactions, savepoints,
// schema changes, other programs, rebuilds, restarts, crashes. HTAP_OPERATIONS sets how many operations,
// HTAP_SEED repeats a run, HTAP_SCRIPT runs the script that a failure has printed.
const operations = repetitions('HTAP_OPERATIONS', 4000)
const seed = Number(process.env['HTAP_SEED'] ?? Date.now() % 1_000_000)
const script = process.env['HTAP_SCRIPT']
/** A database of its own for so many operations keeps scripts, and what is compared, small. */
const operationsPerLife = Math.min(10_000, Math.ceil(operations / 3))
/** Engines work off the event loop, so that one life can go on while another waits. */
const livesAtOnce = 3
const shrinkAttemptsMax = 600
const progressMs = 30_000

it.skipIf(script !== undefined)(
  `should be what the model says through ${operations} operations (seed ${seed})`,
  { timeout: 36_000_000 },
  async () => {
    const folder = tempFolder()
    const tally = new Tally()
    let lives = 0
    const liveOn = async () => {
      while (tally.done < operations) {
        const life = lives++
        const random = new RandomOperations(new Random(seed + life))
        const steps = Array.from({ length: operationsPerLife }, () => random.next())
        const result = await live(join(folder, `life-${life}`), [...steps, { do: 'compare' }])
        if (result.failure !== null) {
          throw await explain(folder, steps.slice(0, result.operations), result.failure)
        }
        tally.add(result)
      }
    }
    await Promise.all(Array.from({ length: livesAtOnce }, liveOn))
    tally.report()
    expect(tally.duckDb).toBeGreaterThan(4 * tally.sqlite)
  },
)

/** Once a life has met a -0.0 in an index, this is right for all that it asks afterwards. */
const byItsRows = 'order: index over a signed zero'

/** What all lives came to. */
class Tally {
  done = 0
  duckDb = 0
  sqlite = 0
  readonly #kept: Record<string, number> = {}
  readonly #startMs = performance.now()
  #reportedMs = performance.now()

  add({ statements, duckDb, kept }: LifeResult): void {
    this.done += statements
    this.duckDb += duckDb
    for (const [reason, count] of Object.entries(kept)) {
      this.sqlite += reason === byItsRows ? 0 : count
      this.#kept[reason] = (this.#kept[reason] ?? 0) + count
    }
    if (performance.now() - this.#reportedMs > progressMs) {
      this.#reportedMs = performance.now()
      this.report()
    }
  }

  report(): void {
    const perSecond = Math.round((1000 * this.done) / (performance.now() - this.#startMs))
    const text = `${this.done} operations, ${perSecond} a second, ${this.duckDb} answers of DuckDB`
    writeSync(1, `${text}, of SQLite ${JSON.stringify(this.#kept)}\n`)
  }
}

it.runIf(script !== undefined)('should be what the model says after the script', async () => {
  const steps = JSON.parse(script ?? '[]') as Operation[]
  const { failure } = await live(join(tempFolder(), 'script'), [...steps, { do: 'compare' }])
  expect(failure).toBeNull()
})

interface LifeResult {
  readonly failure: Error | null
  /** How many operations it came to, the failing one included. */
  readonly operations: number
  readonly statements: number
  readonly duckDb: number
  readonly kept: Readonly<Record<string, number>>
}

async function live(folder: string, steps: readonly Operation[]): Promise<LifeResult> {
  const life = await Life.begin(folder)
  let operations = 0
  let failure: Error | null = null
  try {
    for (const operation of steps) {
      operations++
      await life.run(operation)
    }
  } catch (error) {
    failure = error as Error
  }
  await life.end().catch((error: Error) => {
    failure ??= error
  })
  const { statements, duckDbAnswers: duckDb, kept } = life
  return { failure, operations, statements, duckDb, kept }
}

/** The failure with the shortest script that shows it. */
async function explain(folder: string, steps: readonly Operation[], failure: Error) {
  let attempts = 0
  const short = await shrinkScript(
    steps,
    async (shorter) => {
      const path = join(folder, `shrink-${attempts++}`)
      return (await live(path, [...shorter, { do: 'compare' }])).failure !== null
    },
    shrinkAttemptsMax,
  )
  const text = `[\n${short.map((it) => JSON.stringify(it)).join(',\n')}\n]`
  return new Error(`${failure.message}\n\nHTAP_SCRIPT (${short.length} operations):\n${text}`, {
    cause: failure,
  })
}
