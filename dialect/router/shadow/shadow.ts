import type { CompiledQuery } from 'kysely'
import { limits } from '../../../src/core/limits.js'
import { canCross } from '../../../src/oltp/read-message.js'
import type { Writer } from '../../../src/oltp/writer.js'
import type { SyncEngine } from '../../../sync/sync-engine.js'
import { withoutHints } from '../../hints.js'
import type { HtapShadowConfig, ShadowMismatch } from '../../htap-shadow-config.js'
import type { Candidate } from '../candidate.js'
import { describeMismatch } from './reproduction.js'
import { ShadowCounter, type ShadowStatus } from './shadow-counter.js'
import {
  compareEngines,
  type Differing,
  type DuckDbAnswer,
  type Rows,
  type ShadowRunProps,
} from './shadow-run.js'
import { ShadowSource } from './shadow-source.js'
import { isTimeDependent } from './time-dependent.js'

interface ShadowProps extends Pick<ShadowRunProps, 'find' | 'isCurrent'> {
  readonly config: HtapShadowConfig
  readonly writer: Writer
  readonly engine: SyncEngine
  /** Is told what went wrong in the background. */
  readonly onError: (error: unknown) => void
  /** From 0 to less than 1. */
  readonly random?: () => number
}

/**
 * Compares a share of DuckDB's answers with SQLite's, one at a time and after they were given out,
 * and keeps texts whose answers differed on SQLite for as long as the driver lives.
 */
export class Shadow {
  readonly #props: ShadowProps
  readonly #run: ShadowRunProps
  readonly #source: ShadowSource
  readonly #random: () => number
  readonly #counter = new ShadowCounter()
  readonly #quarantined = new Set<string>()
  readonly #abort = new AbortController()
  #running: Promise<void> | null = null

  constructor(props: ShadowProps) {
    const { config, engine, writer, find, isCurrent, random = Math.random } = props
    const rowsMax = config.maxRows ?? limits.shadowRowsMax
    this.#props = props
    this.#random = random
    this.#source = new ShadowSource(writer)
    this.#run = Object.freeze({ engine, source: this.#source, rowsMax, find, isCurrent })
  }

  get status(): ShadowStatus {
    return this.#counter.read(this.#quarantined)
  }

  /** Why a text must stay on SQLite; null if it need not. */
  whyQuarantined(sql: string): string | null {
    if (this.#quarantined.size === 0) {
      return null
    }
    // With so many that differ nothing can be trusted, and none may be forgotten.
    const isFull = this.#quarantined.size >= limits.quarantinedTextsMax
    return isFull || this.#quarantined.has(withoutHints(sql))
      ? 'quarantined: answers differed'
      : null
  }

  /**
   * DuckDB has answered. Decides at once whether to compare; all else comes after the answer.
   *
   * @param rows absent where the result is no list of rows
   * @param position of the copy before DuckDB ran
   */
  offer(query: CompiledQuery, found: Candidate, rows: Rows | undefined, position: number): void {
    const isSampled =
      rows !== undefined &&
      !this.#abort.signal.aborted &&
      this.#random() < this.#props.config.sampleRate
    if (!isSampled) {
      return
    }
    this.#counter.add('sampled')
    const obstacle = this.#findObstacle(query, found, rows)
    if (obstacle !== null) {
      this.#counter.skip(obstacle)
      return
    }
    this.#running = this.#compare(query, { found, rows, position }).finally(() => {
      this.#running = null
    })
  }

  /** Gives up what runs and waits for its end. */
  async close(): Promise<void> {
    this.#abort.abort(new Error('the driver is being destroyed'))
    await this.#source.close()
    await this.#running
  }

  #findObstacle(query: CompiledQuery, found: Candidate, rows: Rows): string | null {
    if (this.#running !== null) {
      return 'busy'
    }
    if (rows.length > this.#run.rowsMax) {
      return 'too many rows'
    }
    if (isTimeDependent(query.sql, query.parameters, found.translated)) {
      return 'time-dependent'
    }
    return canCross(query.parameters) ? null : 'SQLite cannot be read beside'
  }

  /** Never rejects. */
  async #compare(query: CompiledQuery, given: DuckDbAnswer): Promise<void> {
    // The application gets its answer first.
    await new Promise((resolve) => setImmediate(resolve))
    const { signal } = this.#abort
    try {
      signal.throwIfAborted()
      const outcome = await compareEngines(this.#run, query, given, signal)
      switch (outcome.kind) {
        case 'differs':
          this.#quarantined.add(withoutHints(query.sql))
          await this.#report(query, outcome)
          this.#counter.add('mismatched')
          break
        case 'skipped':
          this.#counter.skip(outcome.reason)
          break
        default:
          this.#counter.add(outcome.kind)
      }
    } catch (error) {
      this.#counter.skip(signal.aborted ? 'closing' : 'failed')
      if (!signal.aborted) {
        this.#props.onError(error)
      }
    }
  }

  async #report(query: CompiledQuery, differing: Differing): Promise<void> {
    const { config, engine, writer, onError } = this.#props
    if (config.onMismatch === undefined) {
      return
    }
    const sql = withoutHints(query.sql)
    const { duckdb, difference } = differing
    try {
      const mismatch: ShadowMismatch = Object.freeze({
        sql,
        parameters: Object.freeze([...query.parameters]),
        duckdbSql: duckdb.found.translated.sql,
        position: duckdb.position,
        difference,
        reproduction: await describeMismatch(
          { sql, parameters: query.parameters, differing },
          writer.database,
          engine.store,
        ),
      })
      // Not awaited: the observer may well wait for `destroy()`, which waits for this.
      const told: unknown = config.onMismatch(mismatch)
      Promise.resolve(told).catch(onError)
    } catch (error) {
      // An observer must not decide over anything.
      onError(error)
    }
  }
}
