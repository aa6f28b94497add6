/**
 * What clients saw, and a checker that knows what they may see.
 *
 * SQLite commits one transaction after the other, and each takes the next number inside of itself, so
 * the state after every commit is known. A read shows the number and all cells in one statement.
 */

/** A committed transaction; moments are nanoseconds of a clock that all processes share. */
export interface Write {
  readonly kind: 'write'
  readonly process: number
  readonly client: number
  /** Its place in the order of commits. */
  readonly number: number
  readonly begunAt: number
  readonly endedAt: number
  /** What it wrote, by cell; every value is written once in the whole history. */
  readonly cells: Readonly<Record<string, number>>
}

export interface Read {
  readonly kind: 'read'
  readonly process: number
  readonly client: number
  readonly level: 'strong' | 'session' | 'latest' | { readonly maxStalenessMs: number }
  readonly engine: 'sqlite' | 'duckdb'
  readonly begunAt: number
  readonly endedAt: number
  /** The number of the last transaction that it saw. */
  readonly number: number
  /** How many entries the journal had; every transaction adds one. */
  readonly entries: number
  readonly cells: Readonly<Record<string, number>>
}

export interface Anomaly {
  readonly kind: 'stale' | 'torn' | 'lost' | 'doubled' | 'out-of-order' | 'from-the-future'
  readonly text: string
}

/** Every anomaly of a history, at most `anomaliesMax` of them. */
export function findAnomalies(history: readonly (Write | Read)[]): Anomaly[] {
  const writes = history.filter((it) => it.kind === 'write').sort((a, b) => a.number - b.number)
  const reads = history.filter((it) => it.kind === 'read')
  return [
    ...checkOrder(writes),
    ...checkSnapshots(writes, reads),
    ...checkFreshness(writes, reads),
    ...checkMonotony(reads),
  ].slice(0, anomaliesMax)
}

const anomaliesMax = 100

/** Acknowledged transactions have each a number of their own, and none is missing. */
function checkOrder(writes: readonly Write[]): Anomaly[] {
  const anomalies: Anomaly[] = []
  writes.forEach((write, index) => {
    const before = index === 0 ? 0 : writes[index - 1]!.number
    if (write.number === before) {
      anomalies.push(anomaly('lost', `transaction ${write.number} was given out twice`))
    } else if (write.number !== before + 1) {
      anomalies.push(
        anomaly('lost', `there is no transaction between ${before} and ${write.number}`),
      )
    }
    const followedSooner = index > 0 && write.endedAt < writes[index - 1]!.begunAt
    if (followedSooner) {
      anomalies.push(
        anomaly('out-of-order', `transaction ${write.number} ended before ${before} had begun`),
      )
    }
  })
  return anomalies
}

/** A read shows exactly the state after the transaction whose number it shows. */
function checkSnapshots(writes: readonly Write[], reads: readonly Read[]): Anomaly[] {
  const anomalies: Anomaly[] = []
  const state = new Map<string, number>()
  let next = 0
  for (const read of [...reads].sort((a, b) => a.number - b.number)) {
    for (; next < writes.length && writes[next]!.number <= read.number; next++) {
      for (const [cell, value] of Object.entries(writes[next]!.cells)) {
        state.set(cell, value)
      }
    }
    const wrong = Object.entries(read.cells).filter(
      ([cell, value]) => value !== (state.get(cell) ?? 0),
    )
    if (wrong.length > 0) {
      anomalies.push(
        anomaly('torn', `${name(read)} shows cells ${wrong.map(([cell]) => cell)} of others`),
      )
    }
    if (read.entries !== read.number) {
      const kind = read.entries < read.number ? 'lost' : 'doubled'
      anomalies.push(anomaly(kind, `${name(read)} shows ${read.entries} entries`))
    }
  }
  return anomalies
}

/** A read shows everything that its level promises, and nothing that had not begun when it ended. */
function checkFreshness(writes: readonly Write[], reads: readonly Read[]): Anomaly[] {
  const anomalies: Anomaly[] = []
  const all = new Horizon(writes)
  const ofProcess = new Map<number, Horizon>()
  for (const process of new Set(writes.map((it) => it.process))) {
    ofProcess.set(process, new Horizon(writes.filter((it) => it.process === process)))
  }
  const byNumber = new Map(writes.map((it) => [it.number, it]))
  for (const read of reads) {
    const promised = promisedNumber(read, all, ofProcess.get(read.process))
    if (read.number < promised) {
      anomalies.push(anomaly('stale', `${name(read)}, promised was ${promised}`))
    }
    const seen = byNumber.get(read.number)
    if (seen !== undefined && seen.begunAt > read.endedAt) {
      anomalies.push(anomaly('from-the-future', name(read)))
    }
  }
  return anomalies
}

function promisedNumber(read: Read, all: Horizon, own: Horizon | undefined): number {
  if (read.engine === 'sqlite' || read.level === 'strong') {
    return all.at(read.begunAt)
  }
  if (read.level === 'session') {
    return own?.at(read.begunAt) ?? 0
  }
  return read.level === 'latest' ? 0 : all.at(read.begunAt - read.level.maxStalenessMs * 1e6)
}

/** The number up to which transactions were acknowledged at a moment. */
class Horizon {
  readonly #moments: readonly number[]
  readonly #numbers: readonly number[]

  constructor(writes: readonly Write[]) {
    const sorted = [...writes].sort((a, b) => a.endedAt - b.endedAt)
    let highest = 0
    this.#moments = sorted.map((it) => it.endedAt)
    this.#numbers = sorted.map((it) => {
      highest = Math.max(highest, it.number)
      return highest
    })
  }

  at(moment: number): number {
    let low = 0
    let high = this.#moments.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#moments[middle]! < moment) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low === 0 ? 0 : this.#numbers[low - 1]!
  }
}

/** Of two reads of one client, one after the other from one engine, the later sees no older state. */
function checkMonotony(reads: readonly Read[]): Anomaly[] {
  const anomalies: Anomaly[] = []
  const before = new Map<string, Read>()
  for (const read of [...reads].sort((a, b) => a.begunAt - b.begunAt)) {
    const key = `${read.process} ${read.client} ${read.engine}`
    const last = before.get(key)
    if (last !== undefined && last.endedAt <= read.begunAt && read.number < last.number) {
      anomalies.push(anomaly('out-of-order', `${name(read)} after it had seen ${last.number}`))
    }
    before.set(key, read)
  }
  return anomalies
}

function anomaly(kind: Anomaly['kind'], text: string): Anomaly {
  return { kind, text }
}

function name(read: Read): string {
  const level =
    typeof read.level === 'string' ? read.level : `at most ${read.level.maxStalenessMs} ms`
  return `a read of client ${read.process}/${read.client} (${level}, ${read.engine}) at ${read.number}`
}
