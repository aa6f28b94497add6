import {
  type Operation,
  type Row,
  type Schema,
  type Statement,
  type Step,
  type TableName,
  tableKinds,
  tableNames,
  type Value,
} from './operation.js'

/** How a statement must end: done, or refused because of a key that is there already. */
export type Outcome = 'done' | 'conflict' | 'skipped'

/** The database as plain values: what every statement must do, told without SQL. */
export class Model {
  #tables: ReadonlyMap<TableName, Table> = new Map(tableNames.map((name) => [name, newTable(name)]))

  rows(name: TableName): readonly Row[] {
    return [...this.#table(name).rows.values()]
  }

  columns(name: TableName): readonly string[] {
    return this.#table(name).columns
  }

  added(name: TableName): readonly string[] {
    return this.#table(name).columns.slice(tableKinds[name].columns.length)
  }

  hasIndex(name: TableName): boolean {
    return this.#table(name).hasIndex
  }

  /** What `restore` takes back to. Rows and tables are never changed in place. */
  save(): unknown {
    return this.#tables
  }

  restore(saved: unknown): void {
    this.#tables = saved as ReadonlyMap<TableName, Table>
  }

  /** Whether the operation means anything as things stand; a shrunk script may hold others. */
  accepts(step: Step | Operation): boolean {
    switch (step.do) {
      case 'drop-column':
      case 'rename-column':
        return this.added(step.table).length > 0
      case 'add-column':
        return this.added(step.table).length < 3
      default:
        return true
    }
  }

  statement(statement: Statement): Outcome {
    const table = this.#table(statement.table)
    switch (statement.do) {
      case 'insert':
        return this.#insert(statement.table, table, statement)
      case 'delete': {
        const rows = new Map(table.rows)
        for (const [key, row] of table.rows) {
          if (matches(row, statement.where)) {
            rows.delete(key)
          }
        }
        return this.#put(statement.table, { ...table, rows })
      }
      case 'update':
        return this.#update(statement.table, table, statement.set, statement.where)
    }
  }

  schema(step: Schema): void {
    const table = this.#table(step.table)
    const added = this.added(step.table)
    const last = added.at(-1) ?? ''
    switch (step.do) {
      case 'add-column': {
        const name = `c${table.columnNumber}`
        this.#put(step.table, {
          ...table,
          columnNumber: table.columnNumber + 1,
          columns: [...table.columns, name],
          defaults: { ...table.defaults, [name]: step.initial },
          rows: mapRows(table, (row) => ({ ...row, [name]: step.initial })),
        })
        return
      }
      case 'drop-column':
        this.#put(step.table, {
          ...table,
          columns: table.columns.slice(0, -1),
          rows: mapRows(table, ({ [last]: _, ...row }) => row),
        })
        return
      case 'rename-column': {
        const name = `c${table.columnNumber}`
        this.#put(step.table, {
          ...table,
          columnNumber: table.columnNumber + 1,
          columns: [...table.columns.slice(0, -1), name],
          defaults: { ...table.defaults, [name]: table.defaults[last] ?? null },
          rows: mapRows(table, ({ [last]: value, ...row }) => ({ ...row, [name]: value ?? null })),
        })
        return
      }
      case 'toggle-index':
        this.#put(step.table, { ...table, hasIndex: !table.hasIndex })
        return
      case 'recreate':
        this.#put(step.table, { ...newTable(step.table), columnNumber: table.columnNumber })
        return
    }
  }

  #insert(name: TableName, table: Table, statement: Statement & { do: 'insert' }): Outcome {
    const { unique } = tableKinds[name]
    const rows = new Map(table.rows)
    let { rowNumber } = table
    for (const values of statement.rows) {
      const row: Row = Object.fromEntries(
        table.columns.map((column) => [
          column,
          column in values ? values[column]! : (table.defaults[column] ?? null),
        ]),
      )
      const key = keyOf(name, row, rowNumber)
      const byUnique = unique === null ? undefined : findUnique(rows, unique, row[unique] ?? null)
      const clashes = [...new Set([rows.has(key) ? key : undefined, byUnique])].filter(
        (it) => it !== undefined,
      )
      if (clashes.length > 0 && statement.conflict === 'abort') {
        return 'conflict'
      }
      if (clashes.length > 0 && statement.conflict === 'update') {
        const named = tableKinds[name].key.length === 0 ? byUnique : key
        if (clashes.length > 1 || (clashes[0] === key && byUnique === key)) {
          // Which of two clashes SQLite finds first is its own affair.
          return 'skipped'
        }
        if (named === undefined || !rows.has(named)) {
          return 'conflict'
        }
        rows.set(named, { ...rows.get(named), ...upsertSet(name, row) })
        continue
      }
      if (clashes.length > 0 && statement.conflict === 'ignore') {
        continue
      }
      for (const clash of clashes) {
        rows.delete(clash)
      }
      rows.set(key, row)
      rowNumber++
    }
    return this.#put(name, { ...table, rows, rowNumber })
  }

  #update(name: TableName, table: Table, set: Row, where: Row): Outcome {
    const { unique, key } = tableKinds[name]
    const found = [...table.rows].filter(([, row]) => matches(row, where))
    const setsUnique = unique !== null && unique in set && set[unique] !== null
    const setsKey = key.some((column) => column in set)
    if ((setsUnique || setsKey) && found.length > 1) {
      // Whether it fails depends on the order in which SQLite visits the rows.
      return 'skipped'
    }
    const rows = new Map(table.rows)
    for (const [old, row] of found) {
      const changed = { ...row, ...set }
      const moved = key.length === 0 ? old : keyOf(name, changed, 0)
      const other = unique === null ? undefined : findUnique(rows, unique, changed[unique] ?? null)
      if ((moved !== old && rows.has(moved)) || (other !== undefined && other !== old)) {
        return 'conflict'
      }
      rows.delete(old)
      rows.set(moved, changed)
    }
    return this.#put(name, { ...table, rows })
  }

  #put(name: TableName, table: Table): Outcome {
    this.#tables = new Map(this.#tables).set(name, table)
    return 'done'
  }

  #table(name: TableName): Table {
    return this.#tables.get(name)!
  }
}

/** What an upsert sets: everything but the key and the unique column. */
export function upsertSet(name: TableName, row: Row): Row {
  const { key, unique } = tableKinds[name]
  return Object.fromEntries(
    Object.entries(row).filter(
      ([column]) => !(key as readonly string[]).includes(column) && column !== unique,
    ),
  )
}

interface Table {
  readonly columns: readonly string[]
  readonly columnNumber: number
  readonly rowNumber: number
  readonly hasIndex: boolean
  readonly rows: ReadonlyMap<string, Row>
  /** The values of columns that an insert does not name, unless NULL. */
  readonly defaults: Row
}

function newTable(name: TableName): Table {
  return {
    columns: tableKinds[name].columns,
    columnNumber: 1,
    rowNumber: 1,
    hasIndex: false,
    rows: new Map(),
    defaults: {},
  }
}

function mapRows(table: Table, change: (row: Row) => Row): Map<string, Row> {
  return new Map([...table.rows].map(([key, row]) => [key, change(row)]))
}

function keyOf(name: TableName, row: Row, rowNumber: number): string {
  const { key } = tableKinds[name]
  return key.length === 0 ? `#${rowNumber}` : key.map((column) => String(row[column])).join(' ')
}

function findUnique(
  rows: ReadonlyMap<string, Row>,
  column: string,
  value: Value,
): string | undefined {
  if (value !== null) {
    for (const [key, row] of rows) {
      if (row[column] === value) {
        return key
      }
    }
  }
  return undefined
}

function matches(row: Row, where: Row): boolean {
  return Object.entries(where).every(([column, value]) => value !== null && row[column] === value)
}
