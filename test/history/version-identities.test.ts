import { expect, it } from 'vitest'
import { readHistoryTables } from '../../dist/sync/history/history-table.js'
import {
  readIdentities,
  type VersionIdentities,
} from '../../dist/sync/history/version-identities.js'
import { newestVersion } from '../../dist/sync/history/version-range.js'
import { HistoryHarness } from '../support/history-harness.js'

const rows = 20_000

/** The identities of all versions after those that were there before the changes. */
async function identities(schema: string, ...changes: readonly string[]) {
  const h = await HistoryHarness.open(schema)
  const read = async () => {
    await h.keeper.move()
    return newestVersion(h.keeper.history, readHistoryTables(h.keeper.history)[0]!)
  }
  const after = await read()
  for (const sql of changes) {
    h.commit(sql)
  }
  const upTo = await read()
  const table = readHistoryTables(h.keeper.history)[0]!
  const found = await readIdentities(h.keeper.history, { table, after, upTo })
  const versions = h.keeper.history
    .prepare(
      `select id, position * 4 + (op <> 'D') + (op = 'U'), ${table.keys.join(', ')}
       from history.version_${table.id} where id > ? order by id`,
    )
    .raw()
    .all(after)
  return { found, versions, upTo }
}

function listed({ parts }: VersionIdentities): unknown[] {
  return parts.flatMap((part) =>
    Array.from({ length: part.rows }, (_, row) =>
      part.kind === 'run'
        ? [part.id + row, part.step, part.key + row]
        : part.columns.map((values) => Number(values[row])),
    ),
  )
}

const fill = (values: string, to = rows, from = 1) =>
  `with recursive n(v) as (select ${from} union all select v + 1 from n where v < ${to})
   insert into t select ${values} from n`

it('are one run where keys follow each other', async () => {
  const { found, versions } = await identities('create table t(id integer primary key)', fill('v'))
  expect(found?.parts).toMatchObject([{ kind: 'run', rows }])
  expect(found?.isRising).toBe(true)
  expect(listed(found!)).toEqual(versions)
})

it.each([
  ['keys with gaps', 'create table t(id integer primary key)', [fill('v * 3')], true],
  ['keys that fall', 'create table t(id integer primary key)', [fill('-v')], false],
  [
    'keys that begin anew',
    'create table t(id integer primary key)',
    [fill('v'), 'delete from t'],
    false,
  ],
  [
    'keys of several columns',
    'create table t(x, y, primary key (x, y)) without rowid',
    [fill('v, 1')],
    false,
  ],
  [
    'runs and others',
    'create table t(id integer primary key)',
    [
      fill('v'),
      fill('v * 7', 2 * rows, rows),
      'delete from t where id % 2 = 0 and id < 2000',
      fill('v', 1e6 + rows, 1e6),
    ],
    false,
  ],
])('are those of the versions: %s', async (_, schema, changes, isRising) => {
  const { found, versions } = await identities(schema, ...changes)
  expect(listed(found!)).toEqual(versions)
  expect(found?.isRising).toBe(isRising)
})

it.each([
  ['a real number in a row of integers', fill('iif(v = 9000, 9000.0, v)')],
  ['a real number among integers', fill('iif(v = 9000, 27000.0, v * 3)')],
  ['a text', fill("iif(v = 9000, 'k', v)")],
  ['an integer that JavaScript does not have', fill('(1 << 60) + v')],
])('are not told where a key is %s', async (_, sql) => {
  const { found } = await identities('create table t(k primary key) without rowid', sql)
  expect(found).toBe(null)
})
