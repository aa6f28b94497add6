import { DuckDBInstance } from '@duckdb/node-api'
import { openDuckDbStore } from '../dist/src/olap/duckdb-store.js'
import { atLeast, atMost, noted, timed, us } from './measure.mjs'

const options = { path: ':memory:', memoryLimit: '1GB', threads: 2, tempDirectory: null }
const kinds = ['int64', 'int64', 'float64', 'utf8', 'utf8', 'int64']
const names = ['id', 'n', 'price', 'code', 'note', 'flag']
const createTable =
  'create table t (id bigint, n bigint, price double, code varchar, note varchar, flag bigint)'

/**
 * The column store against the plain driver: rows out against `getRowObjectsJS`, batches in
 * against the row-wise appender and against INSERT row by row.
 */
export async function olapRows({ quick }) {
  const store = await openDuckDbStore(options)
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  await store.writer.execute(createTable)
  await connection.run(createTable)
  const rowCount = quick ? 50_000 : 100_000
  const batches = makeBatches(rowCount)
  await append(store, batches)
  const rows = await store.writer.values('select * from t order by id')
  await rowWise(connection, rows)
  const out = await rowsOut(store, connection, rowCount)
  await store.writer.execute('truncate t')
  await connection.run('truncate t')
  const into = await rowsIn(store, connection, batches, rows)
  connection.closeSync()
  instance.closeSync()
  await store.close()
  return [...out, ...into]
}

async function rowsOut(store, connection, rowCount) {
  const statement = { sql: 'select * from t', parameters: [] }
  const asRows = { columnNames: names, integers: 'number' }
  await store.rows(statement, asRows)
  const [ours, theirs, execution] = await bestOf(
    5,
    () => store.rows(statement, asRows),
    async () => (await connection.run(statement.sql)).getRowObjectsJS(),
    () => connection.run(statement.sql),
  )
  const figures = `${us(ours, rowCount)} against ${us(theirs, rowCount)} per row`
  return [
    atMost(
      0.4,
      'rows out against getRowObjectsJS, without execution',
      (ours - execution) / (theirs - execution),
      figures,
    ),
    noted(
      'rows out against getRowObjectsJS',
      ours / theirs,
      `execution alone ${us(execution, rowCount)}`,
    ),
  ]
}

async function rowsIn(store, connection, batches, rows) {
  const [appended, appendedRowWise] = await bestOf(
    6,
    () => append(store, batches),
    () => rowWise(connection, rows),
  )
  const few = rows.slice(0, 2000)
  const inserted = await timed(() => insertEach(connection, few))
  const perRow = us(appended, rows.length)
  return [
    atLeast(
      2,
      'append against the row-wise appender, times faster',
      appendedRowWise / appended,
      `${perRow} against ${us(appendedRowWise, rows.length)} per row`,
    ),
    atLeast(
      300,
      'append against INSERT of each row, times faster',
      inserted / few.length / (appended / rows.length),
      `${perRow} against ${us(inserted, few.length)} per row`,
    ),
  ]
}

/** The best of several rounds of each, taken in turns so that both see the same noise. */
async function bestOf(rounds, ...actions) {
  const best = actions.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round < rounds; round++) {
    for (const [index, action] of actions.entries()) {
      best[index] = Math.min(best[index], await timed(action))
    }
  }
  return best
}

function makeBatches(rowCount) {
  const encoder = new TextEncoder()
  const batches = []
  for (let first = 0; first < rowCount; first += 2048) {
    const size = Math.min(2048, rowCount - first)
    const ids = Array.from({ length: size }, (_, at) => first + at)
    const integers = (of) => ({
      kind: 'int64',
      nullCount: 0,
      validity: null,
      values: BigInt64Array.from(ids, (id) => BigInt(of(id))),
    })
    const texts = (of) => {
      const parts = ids.map((id) => encoder.encode(of(id)))
      const offsets = new Int32Array(size + 1)
      parts.forEach((part, at) => {
        offsets[at + 1] = offsets[at] + part.length
      })
      const data = new Uint8Array(Buffer.concat(parts))
      return { kind: 'utf8', nullCount: 0, validity: null, offsets, data }
    }
    const price = {
      kind: 'float64',
      nullCount: 0,
      validity: null,
      values: Float64Array.from(ids, (id) => id / 7),
    }
    batches.push({
      rowCount: size,
      columns: [
        integers((id) => id),
        integers((id) => (id * 7919) % 1000),
        price,
        texts((id) => `code-${id % 100}`),
        texts((id) => `a note about the row with number ${id}`),
        integers((id) => id & 1),
      ],
    })
  }
  return batches
}

async function append(store, batches) {
  const { writer } = store
  const appender = await writer.appender({ catalog: null, schema: 'main', table: 't' }, kinds)
  for (const batch of batches) {
    appender.append(batch)
  }
  appender.close()
}

/** The driver's own appender, fed from the same values as JavaScript values. */
async function rowWise(connection, rows) {
  const appender = await connection.createAppender('t')
  for (const [id, n, price, code, note, flag] of rows) {
    appender.appendBigInt(id)
    appender.appendBigInt(n)
    appender.appendDouble(price)
    appender.appendVarchar(code)
    appender.appendVarchar(note)
    appender.appendBigInt(flag)
    appender.endRow()
  }
  appender.closeSync()
}

async function insertEach(connection, rows) {
  const statement = await connection.prepare('insert into t values (?, ?, ?, ?, ?, ?)')
  await connection.run('begin')
  for (const [id, n, price, code, note, flag] of rows) {
    statement.bindBigInt(1, id)
    statement.bindBigInt(2, n)
    statement.bindDouble(3, price)
    statement.bindVarchar(4, code)
    statement.bindVarchar(5, note)
    statement.bindBigInt(6, flag)
    await statement.run()
  }
  await connection.run('commit')
}
