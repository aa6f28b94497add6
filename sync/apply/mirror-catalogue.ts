import type { ColumnKind } from '../../src/core/column-batch.js'
import type { ColumnProfile } from '../../src/core/column-profile.js'
import { reach } from '../../src/core/outside-world.js'
import { quoteIdentifier, quoteText } from '../../src/core/sql-identifier.js'
import type { TableShape } from '../../src/core/table-shape.js'
import type { OlapWriter } from '../../src/olap/olap-store.js'
import type { LogPlace } from '../capture/log-place.js'
import { extraRowidColumn, MirroredTable, mirrorSchema } from './mirrored-table.js'

/**
 * The schema of what the mirror knows of itself. DuckDB names a catalog after its file, so a name
 * that a file may have would be ambiguous.
 */
const stateSchema = '_htap_state'
/** Raised when the tables below, or what copies look like, change their meaning. */
const layoutVersion = 2

/** What a mirror knows of itself: whose copy it is and how far it has got. */
export interface MirrorState {
  /** The life of the change log that `place` belongs to. */
  readonly epoch: string
  readonly consumerId: string
  readonly place: LogPlace
  /** SQLite's schema version at that place. */
  readonly schemaVersion: number
}

/**
 * The mirror's own tables. Rows and position are written in one transaction, so the copy
 * always equals SQLite as it stood at `position`.
 */
export class MirrorCatalogue {
  readonly #writer: OlapWriter
  /** The copies that the next process would find. */
  #registered: ReadonlyMap<number, MirroredTable> = new Map()

  constructor(writer: OlapWriter) {
    this.#writer = writer
  }

  /** Null when the store is empty or was written by another layout. */
  async readState(): Promise<MirrorState | null> {
    const [exists] = await this.#writer.values(
      `select count(*) from information_schema.tables where table_schema = '${stateSchema}' and table_name = 'state'`,
    )
    if (exists?.[0] !== 1n) {
      return null
    }
    const [written] = await this.#writer.values(`select layout from ${stateSchema}.state`)
    if (written?.[0] !== BigInt(layoutVersion)) {
      return null
    }
    const [row = []] = await this.#writer.values(
      `select epoch, consumer, position, mark, schema_version from ${stateSchema}.state`,
    )
    return {
      epoch: String(row[0]),
      consumerId: String(row[1]),
      place: { position: Number(row[2]), mark: BigInt(String(row[3])) },
      schemaVersion: Number(row[4]),
    }
  }

  /** Starts the mirror anew for this life of the change log: no tables, this position. */
  async reset(state: MirrorState): Promise<void> {
    await this.#writer.execute(`
      begin;
      drop schema if exists ${mirrorSchema} cascade;
      drop schema if exists ${stateSchema} cascade;
      create schema ${mirrorSchema};
      create schema ${stateSchema};
      create table ${stateSchema}.state(layout bigint, epoch varchar, consumer varchar, position bigint,
        mark bigint, schema_version bigint);
      create table ${stateSchema}.mirror_table(id bigint, generation bigint, definition varchar);
      insert into ${stateSchema}.state values (${layoutVersion}, ${quoteText(state.epoch)},
        ${quoteText(state.consumerId)}, ${state.place.position},
        ${state.place.mark}, ${state.schemaVersion});
      commit`)
    this.#registered = new Map()
  }

  /** The registered copies; copies that were never finished are dropped. */
  async readTables(): Promise<MirroredTable[]> {
    const rows = await this.#writer.values(
      `select id, generation, definition from ${stateSchema}.mirror_table order by id`,
    )
    const tables: MirroredTable[] = []
    for (const [id, generation, definition] of rows) {
      const { shape, storage, profiles, rowidLife } = JSON.parse(
        String(definition),
      ) as StoredDefinition
      const table = new MirroredTable({
        tableId: Number(id),
        generation: Number(generation),
        shape,
        storage,
        profiles,
        rowidLife,
        rowCount: 0,
      })
      await this.measure(table)
      tables.push(table)
    }
    await this.#dropStrayCopies(new Set(tables.map((table) => table.copyName)))
    this.#registered = new Map(tables.map((table) => [table.tableId, table]))
    return tables
  }

  /** Creates an empty copy. It is not registered: nobody reads it yet. */
  async createCopy(table: MirroredTable): Promise<void> {
    const rowid = table.plan.hasExtraRowid ? [`${quoteIdentifier(extraRowidColumn)} bigint`] : []
    const columns = table.shape.columns.map(
      (column, index) =>
        `${quoteIdentifier(column.name)} ${duckDbType(table.storage[index] as ColumnKind)}`,
    )
    await this.#writer.execute(
      `create or replace table ${table.sqlName}(${[...rowid, ...columns].join(', ')})`,
    )
  }

  async dropCopy(table: MirroredTable): Promise<void> {
    await this.#writer.execute(`drop table if exists ${table.sqlName}`)
  }

  /** SQL that makes a copy the registered one of its table; part of the caller's transaction. */
  registerSql(table: MirroredTable): string {
    const definition: StoredDefinition = {
      shape: table.shape,
      storage: table.storage,
      profiles: table.profiles,
      rowidLife: table.rowidLife,
    }
    return `delete from ${stateSchema}.mirror_table where id = ${table.tableId};
      insert into ${stateSchema}.mirror_table values (${table.tableId}, ${table.generation},
        ${quoteText(JSON.stringify(definition))});`
  }

  /**
   * SQL that takes the copies out of the mirror that do not follow the log any more; part of the
   * transaction that moves the position past them. Else the next process would serve them.
   */
  unregisterSql(followed: ReadonlyMap<number, MirroredTable>): string {
    const gone = [...this.#registered.keys()].filter((id) => !followed.has(id))
    return gone.length === 0
      ? ''
      : `delete from ${stateSchema}.mirror_table where id in (${gone.join(', ')});`
  }

  /** That transaction is committed; returns the copies that nobody needs any more. */
  noteRegistered(followed: ReadonlyMap<number, MirroredTable>): readonly MirroredTable[] {
    const before = [...this.#registered.values()]
    this.#registered = new Map(followed)
    return before.filter((table) => followed.get(table.tableId) !== table)
  }

  placeSql({ position, mark }: LogPlace, schemaVersion: number): string {
    return `update ${stateSchema}.state
      set position = ${position}, mark = ${mark}, schema_version = ${schemaVersion};`
  }

  /** Reads the number of rows and the largest key of a copy. */
  async measure(table: MirroredTable): Promise<void> {
    const [key] = table.keyColumns
    const isRowid = !table.shape.withoutRowid && key !== undefined
    const [row = []] = await this.#writer.values(
      `select count(*), ${isRowid ? `max(${quoteIdentifier(key)})` : 'null::bigint'} from ${table.sqlName}`,
    )
    table.rowCount = Number(row[0])
    const keyMax = row[1]
    table.keyMax = typeof keyMax === 'bigint' ? keyMax : null
  }

  async #dropStrayCopies(registered: ReadonlySet<string>): Promise<void> {
    const rows = await this.#writer.values(
      `select table_name from information_schema.tables where table_schema = '${mirrorSchema}'`,
    )
    for (const [name] of rows) {
      if (!registered.has(String(name))) {
        await this.#writer.execute(`drop table ${mirrorSchema}.${quoteIdentifier(String(name))}`)
        reach('open.stray-dropped')
      }
    }
  }
}

interface StoredDefinition {
  readonly shape: TableShape
  readonly storage: readonly ColumnKind[]
  readonly profiles: readonly ColumnProfile[]
  readonly rowidLife: number | null
}

export function duckDbType(kind: ColumnKind): string {
  switch (kind) {
    case 'int64':
      return 'BIGINT'
    case 'float64':
      return 'DOUBLE'
    case 'utf8':
      return 'VARCHAR'
    case 'binary':
      return 'BLOB'
  }
}
