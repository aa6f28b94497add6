import Database from 'better-sqlite3'
import { expect, it, onTestFinished } from 'vitest'
import { toRows } from '../../dist/src/oltp/read-message.js'
import { takeSnapshot } from '../../dist/src/oltp/snapshot-read.js'

function open() {
  const database = new Database(':memory:')
  onTestFinished(() => void database.close())
  database.exec('create table t(n integer); insert into t values (1), (9223372036854775807)')
  const read = (sql: string, rowsMax = 10) =>
    takeSnapshot(database, {
      sql,
      parameters: [],
      integers: 'bigint',
      rowsMax,
      positionSql: 'select 7',
    })
  return { database, read }
}

it('should tell rows, position, schema and plan of one snapshot', () => {
  const { database, read } = open()
  const { answer, ...state } = read(`select n, 'x' as t, x'00' as b, n as n from t order by n`)
  expect(state).toMatchObject({
    position: 7,
    schemaVersion: database.pragma('schema_version', { simple: true }),
    plan: [{ detail: 'SCAN t' }, { detail: 'USE TEMP B-TREE FOR ORDER BY' }],
  })
  expect(answer.kind === 'rows' && toRows(answer)).toEqual([
    { n: 1n, t: 'x', b: Buffer.from([0]) },
    { n: 9223372036854775807n, t: 'x', b: Buffer.from([0]) },
  ])
  expect(database.inTransaction).toBe(false)
})

it('should stop reading one row after the most that is asked for', () => {
  const { read } = open()
  expect(read('select a.n from t a, t b, t c', 3).answer).toMatchObject({ rowCount: 4 })
})

it('should tell an error that is SQLite’s answer, and throw any other', () => {
  const { database, read } = open()
  expect(read('select sum(n) from t').answer).toEqual({
    kind: 'error',
    message: 'integer overflow',
  })
  expect(() => read('select nope from t')).toThrow('no such column')
  for (const code of ['SQLITE_NOMEM', 'SQLITE_FULL', 'SQLITE_INTERRUPT', 'SQLITE_BUSY_SNAPSHOT']) {
    database.function('fail', () => {
      throw new Database.SqliteError('no means', code)
    })
    expect(() => read('select fail() from t')).toThrow('no means')
  }
  expect(database.inTransaction).toBe(false)
})
