import { assert } from '../src/core/assert.js'
import { HtapError } from '../src/core/htap-error.js'
import { limits } from '../src/core/limits.js'
import { quoteIdentifier } from '../src/core/sql-identifier.js'
import type { MirroredTable } from './apply/mirrored-table.js'
import { isSamePlace } from './capture/log-place.js'
import { lostPlace } from './capture/lost-place.js'
import type { Mirror } from './mirror.js'
import { BufferPool } from './read/buffer-pool.js'
import { RowReader, type RowSlice } from './read/row-reader.js'
import type { SourceAccess } from './read/source-access.js'
import { type ExpectedSource, isExpected, type SourceReader } from './read/source-reader.js'
import { SourceStateReader } from './read/source-state.js'

/** What a comparison of the copies with SQLite found. */
export interface VerifyReport {
  readonly equal: boolean
  readonly tables: readonly TableVerification[]
}

export interface TableVerification {
  readonly table: string
  /** The position of the change log at which both sides were read. */
  readonly position: number
  readonly sqliteRows: number
  readonly mirrorRows: number
  /** Order-free: the sum of a hash of every row. */
  readonly sqliteChecksum: bigint
  readonly mirrorChecksum: bigint
  readonly equal: boolean
}

interface VerifyProps {
  readonly names: readonly string[]
  /** The copy of a table as it serves now; undefined when none does. */
  readonly findLive: (name: string) => MirroredTable | undefined
  readonly mirror: Mirror
  readonly access: SourceAccess
  readonly reader: SourceReader
  readonly expected: () => ExpectedSource
  readonly syncTo: () => Promise<void>
  readonly exclusively: <T>(section: () => Promise<T>) => Promise<T>
}

const stageSchema = 'temp.main'

interface Checksum {
  rows: number
  sum: bigint
}

/**
 * Compares copies with SQLite: the copy's checksum is taken while it stands at the very position
 * of a read snapshot of SQLite; the snapshot's rows then go through the same hash.
 */
export async function verifyTables(props: VerifyProps): Promise<VerifyReport> {
  const tables: TableVerification[] = []
  for (const name of props.names) {
    const verification = await verifyTable(props, name)
    if (verification !== null) {
      tables.push(verification)
    }
  }
  return { equal: tables.every((table) => table.equal), tables }
}

/** Null when the copy is taken off meanwhile: there is nothing left to compare. */
async function verifyTable(props: VerifyProps, name: string): Promise<TableVerification | null> {
  for (let attempt = 1; attempt <= limits.verifyAttemptsMax; attempt++) {
    await props.syncTo()
    // Looked up anew, since another copy may have taken its place.
    const table = props.findLive(name)
    if (table === undefined) {
      return null
    }
    const result = await new TableVerifier(props, table).verify()
    if (result !== null) {
      return result
    }
  }
  throw new HtapError('wait-timeout', `${name} changes too quickly to be verified`)
}

class TableVerifier {
  readonly #props: VerifyProps
  readonly #table: MirroredTable
  readonly #columns: string
  readonly #stage: string

  constructor(props: VerifyProps, table: MirroredTable) {
    this.#props = props
    this.#table = table
    this.#stage = `htap_verify_${table.tableId}`
    const names = table.shape.columns.map((column) => quoteIdentifier(column.name))
    const keys = table.keyColumns.map(quoteIdentifier)
    this.#columns = [...keys, ...names].join(', ')
  }

  /** Null when source or copy moved under the comparison. */
  verify(): Promise<TableVerification | null> {
    return this.#props.access.workerPath === null ? this.#verifyInOneTurn() : this.#verifyBeside()
  }

  /** With readers beside the writer: the snapshot stays open while the loop goes on. */
  async #verifyBeside(): Promise<TableVerification | null> {
    const { reader, exclusively, mirror } = this.#props
    const expected = this.#props.expected()
    const parts = reader.rows({ expected, plan: this.#table.plan })
    try {
      const mirrored = await exclusively(async () => {
        const first = await parts.next()
        assert(!first.done && first.value.type === 'state', 'a reader begins with the state')
        const state = first.value
        if (state.consumerPosition === null) {
          throw lostPlace()
        }
        const isSame = isExpected(state, expected) && isSamePlace(state.head, mirror.place)
        if (!isSame || !this.#isLive()) {
          return null
        }
        await this.#createStage()
        return this.#checksum(this.#table.sqlName)
      })
      if (mirrored === null) {
        return null
      }
      const position = mirror.position
      const sqlite: Checksum = { rows: 0, sum: 0n }
      for await (const part of parts) {
        if (part.type !== 'rows') {
          return null
        }
        await exclusively(() => this.#addSlice(sqlite, part))
      }
      return this.#report(position, sqlite, mirrored)
    } finally {
      await parts.return()
    }
  }

  /** On a shared connection nothing holds a snapshot but a single turn of the event loop. */
  #verifyInOneTurn(): Promise<TableVerification | null> {
    const { access, exclusively, mirror } = this.#props
    return exclusively(async () => {
      const { head, slices } = await access.read((database) => {
        const rows = new RowReader(database, this.#table.plan, new BufferPool())
        const all: RowSlice[] = []
        for (let slice = rows.read(); slice !== null; slice = rows.read()) {
          all.push(slice)
        }
        return { head: new SourceStateReader(database).head(), slices: all }
      })
      if (!isSamePlace(mirror.place, head) || !this.#isLive()) {
        return null
      }
      await this.#createStage()
      const mirrored = await this.#checksum(this.#table.sqlName)
      const sqlite: Checksum = { rows: 0, sum: 0n }
      for (const slice of slices) {
        await this.#addSlice(sqlite, slice)
      }
      return this.#report(mirror.position, sqlite, mirrored)
    })
  }

  #isLive(): boolean {
    return this.#props.findLive(this.#table.shape.name) === this.#table
  }

  async #addSlice(total: Checksum, slice: RowSlice): Promise<void> {
    const { writer } = this.#props.mirror.store
    const appender = await writer.appender(
      { catalog: 'temp', schema: 'main', table: this.#stage },
      this.#table.plan.kinds,
    )
    for (const batch of slice.rows) {
      appender.append(batch)
    }
    appender.close()
    const part = await this.#checksum(`${stageSchema}.${this.#stage}`)
    total.rows += part.rows
    total.sum += part.sum
    await writer.execute(`delete from ${stageSchema}.${this.#stage}`)
  }

  /** A table of the same form: the copy itself may be replaced before the comparison is over. */
  async #createStage(): Promise<void> {
    await this.#props.mirror.store.writer.execute(
      `create or replace temp table ${this.#stage} as from ${this.#table.sqlName} limit 0`,
    )
  }

  async #checksum(table: string): Promise<Checksum> {
    const [row = []] = await this.#props.mirror.store.writer.values(
      `select count(*), coalesce(sum(hash(${this.#columns})::hugeint), 0) from ${table}`,
    )
    return { rows: Number(row[0]), sum: BigInt(String(row[1])) }
  }

  #report(position: number, sqlite: Checksum, mirrored: Checksum): TableVerification {
    return Object.freeze({
      table: this.#table.shape.name,
      position,
      sqliteRows: sqlite.rows,
      mirrorRows: mirrored.rows,
      sqliteChecksum: sqlite.sum,
      mirrorChecksum: mirrored.sum,
      equal: sqlite.rows === mirrored.rows && sqlite.sum === mirrored.sum,
    })
  }
}
