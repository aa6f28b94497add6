import {
  type DuckDBConnection,
  DuckDBInstance,
  type DuckDBPreparedStatement,
  DuckDBTypeId,
  type DuckDBValue,
} from '@duckdb/node-api'
import SqliteDatabase, { type Database } from 'better-sqlite3'
import { ConstantValues } from '../../dist/dialect/router/constant-values.js'
import { viewDefinition } from '../../dist/dialect/router/view-expansion.js'
import { translate } from '../../dist/dialect/translate/translate.js'
import type {
  OpcodeRow,
  ParameterType,
  QueryPlanRow,
  Translated,
  TranslationContext,
} from '../../dist/dialect/translate/translation.js'
import type { MirrorTable } from '../../dist/src/core/mirror-table.js'
import { foldIdentifier } from '../../dist/src/core/sql-identifier.js'
import { readView } from '../../dist/src/oltp/catalogue.js'
import type { SqliteDatabase as Source } from '../../dist/src/oltp/sqlite-database.js'
import { copyToDuck, duckSettings, mirrorOf } from './mirror-fixture.js'
import type { Random } from './random.js'

export type Outcome =
  | {
      readonly kind: 'same'
      readonly order: 'total' | 'plan'
      readonly sql: string
      readonly rules: readonly string[]
    }
  | { readonly kind: 'kept'; readonly reason: string }
  /** DuckDB raised, so the statement runs on SQLite: no harm, but no speed either. */
  | { readonly kind: 'raised'; readonly message: string; readonly sql: string }
  | { readonly kind: 'invalid' }
  | {
      readonly kind: 'different'
      readonly duckSql: string
      readonly sqlite: unknown
      readonly duck: unknown
    }

/** A SQLite database and its copy, and the question whether a statement means the same in both. */
export class BothEngines {
  readonly db: Database
  readonly duck: DuckDBConnection
  readonly #instance: DuckDBInstance
  #mirrors = new Map<string, MirrorTable>()

  private constructor(db: Database, instance: DuckDBInstance, duck: DuckDBConnection) {
    this.db = db
    this.#instance = instance
    this.duck = duck
  }

  static async open(): Promise<BothEngines> {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
    const duck = await instance.connect()
    for (const setting of duckSettings) {
      await duck.run(setting)
    }
    return new BothEngines(new SqliteDatabase(':memory:'), instance, duck)
  }

  close(): void {
    this.db.close()
    this.duck.closeSync()
    this.#instance.closeSync()
  }

  /** Copies all tables anew. */
  async copy(random: Random): Promise<void> {
    const names = this.db
      .prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'")
      .pluck()
      .all() as string[]
    this.#mirrors = new Map()
    for (const name of names) {
      const mirror = mirrorOf(this.db, name)
      this.#mirrors.set(foldIdentifier(name), mirror)
      await copyToDuck(this.duck, this.db, mirror, random)
    }
  }

  context(sql: string, parameters: readonly unknown[]): TranslationContext {
    const { db } = this
    const mirrors = this.#mirrors
    return {
      findTable: (name) =>
        mirrors.get(foldIdentifier(name)) ?? viewOf(db, name) ?? { refused: 'unknown' },
      parameterTypes: parameters.map(parameterType),
      parameterValues: parameters,
      evaluate: (sources) =>
        sources.map((source) => new ConstantValues(db as unknown as Source, parameters).of(source)),
      disabledRules: new Set(),
      columnNames: db
        .prepare(sql)
        .columns()
        .map((column) => column.name),
      integers: 'number',
      queryPlan: () => db.prepare(`explain query plan ${sql}`).all(...parameters) as QueryPlanRow[],
      program: () => db.prepare(`explain ${sql}`).all(...parameters) as OpcodeRow[],
    }
  }

  async check(sql: string, parameters: readonly unknown[] = []): Promise<Outcome> {
    let context: TranslationContext
    try {
      context = this.context(sql, parameters)
    } catch {
      return { kind: 'invalid' }
    }
    const translation = translate(sql, context)
    if (translation.kind === 'kept') {
      return translation
    }
    let sqlite: unknown[][] | string
    try {
      sqlite = this.db
        .prepare(sql)
        .raw()
        .all(...parameters) as unknown[][]
    } catch (error) {
      sqlite = String(error)
    }
    const duck = await this.#run(translation, parameters)
    if (typeof duck === 'string') {
      return { kind: 'raised', message: duck, sql: translation.sql }
    }
    return typeof sqlite !== 'string' && sameRows(sqlite, duck)
      ? { kind: 'same', order: translation.order, sql: translation.sql, rules: translation.rules }
      : { kind: 'different', duckSql: translation.sql, sqlite, duck }
  }

  async #run(
    { sql, parameters: bindings }: Translated,
    parameters: readonly unknown[],
  ): Promise<unknown[][] | string> {
    let prepared: DuckDBPreparedStatement | undefined
    try {
      prepared = await this.duck.prepare(sql)
      const constants = new ConstantValues(this.db as unknown as Source, parameters)
      for (const [i, { source, as }] of bindings.entries()) {
        bind(prepared, i + 1, as, constants.of(source))
      }
      const reader = await prepared.runAndReadAll()
      const types = reader.columnTypes().map((type) => type.typeId)
      return reader.getRows().map((row) => row.map((value, i) => decode(value, types[i]!)))
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    } finally {
      prepared?.destroySync()
    }
  }
}

function viewOf(db: Database, name: string) {
  const view = readView(db as unknown as Source, name)
  return view === null ? null : viewDefinition(view)
}

function parameterType(value: unknown): ParameterType {
  switch (typeof value) {
    case 'number':
      return Number.isSafeInteger(value) ? 'safe-integer' : 'number'
    case 'bigint':
      return 'bigint'
    case 'string':
      return 'text'
    default:
      return value === null ? 'null' : 'blob'
  }
}

function bind(
  prepared: DuckDBPreparedStatement,
  at: number,
  as: 'bigint' | 'double' | 'varchar' | 'blob',
  value: unknown,
): void {
  if (value === null) {
    prepared.bindNull(at)
    return
  }
  switch (as) {
    case 'bigint':
      prepared.bindBigInt(at, BigInt(value as number | bigint))
      return
    case 'double':
      prepared.bindDouble(at, value as number)
      return
    case 'varchar':
      prepared.bindVarchar(at, value as string)
      return
    case 'blob':
      prepared.bindBlob(at, value as Uint8Array)
      return
  }
}

/** The values that better-sqlite3 would return; any other type means that a rewrite was missed. */
function decode(value: DuckDBValue, type: DuckDBTypeId): unknown {
  if (value === null) {
    return null
  }
  switch (type) {
    case DuckDBTypeId.BOOLEAN:
      return value === true ? 1 : 0
    case DuckDBTypeId.BIGINT:
    case DuckDBTypeId.INTEGER:
    case DuckDBTypeId.HUGEINT:
      return Number(value)
    case DuckDBTypeId.DOUBLE:
      if (Number.isNaN(value)) {
        throw new Error('NaN in a result')
      }
      return value
    case DuckDBTypeId.VARCHAR:
      return value
    case DuckDBTypeId.BLOB:
      return Buffer.from((value as { bytes: Uint8Array }).bytes)
    default:
      throw new Error(`type ${type} in a result`)
  }
}

function sameRows(a: readonly unknown[][], b: readonly unknown[][]): boolean {
  return (
    a.length === b.length &&
    a.every((row, i) => row.length === b[i]!.length && row.every((x, j) => sameValue(x, b[i]![j])))
  )
}

function sameValue(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || (Buffer.isBuffer(a) && Buffer.isBuffer(b) && a.equals(b))
}
