import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { emptyColumnProfile } from '../../dist/src/core/column-profile.js'
import { readTableShape } from '../../dist/src/oltp/catalogue.js'
import type { SqliteDatabase } from '../../dist/src/oltp/sqlite-database.js'
import { MirroredTable } from '../../dist/sync/apply/mirrored-table.js'
import type { SourceAccess } from '../../dist/sync/read/source-access.js'
import { SourceNow } from '../../dist/sync/read/source-now.js'
import { SchemaWatch } from '../../dist/sync/schema-watch.js'
import { TrackedTables } from '../../dist/sync/tracked-tables.js'

it('looks again when looking has failed', async () => {
  const database = new Database(':memory:')
  database.exec('create table t(id integer primary key, a)')
  const source = database as unknown as SqliteDatabase
  const shape = readTableShape(source, 't')
  if ('refused' in shape) {
    throw new Error(shape.refused)
  }
  let isFailing = true
  const access: SourceAccess = {
    workerPath: null,
    read: async (turn) => {
      const failing = Object.create(source) as SqliteDatabase
      failing.prepare = (sql) => {
        if (isFailing && sql.includes('table_xinfo')) {
          throw new Error('disk I/O error')
        }
        return source.prepare(sql)
      }
      return turn(failing)
    },
    readNow: (turn) => turn(source),
    write: async (turn) => turn(source),
    dataVersion: () => null,
    leave: () => undefined,
    close: () => undefined,
  }
  const tables = new TrackedTables('auto')
  tables.adopt(
    new MirroredTable({
      tableId: 1,
      shape,
      generation: 1,
      storage: ['int64', 'int64'],
      profiles: [emptyColumnProfile, emptyColumnProfile],
      rowCount: 0,
    }),
  )
  const watch = new SchemaWatch(access, new SourceNow(access), tables)
  database.exec('alter table t add column b')
  await expect(watch.refresh()).rejects.toThrow('disk I/O error')
  expect(tables.findLive('t')).toBeDefined()
  isFailing = false
  await watch.refresh()
  expect(tables.findLive('t')).toBeUndefined()
  database.close()
})
