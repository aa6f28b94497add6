import type { Database } from 'better-sqlite3'
import { type ColumnProfile, emptyColumnProfile } from '../../dist/src/core/column-profile.js'
import { limits } from '../../dist/src/core/limits.js'
import type { MirrorTable } from '../../dist/src/core/mirror-table.js'
import type { TableShape } from '../../dist/src/core/table-shape.js'
import type { OlapWriter } from '../../dist/src/olap/olap-store.js'
import { listTableNames, readTableShape } from '../../dist/src/oltp/catalogue.js'
import type { SqliteDatabase } from '../../dist/src/oltp/sqlite-database.js'
import { chooseStorage } from '../../dist/sync/apply/column-storage.js'
import { MirrorCatalogue } from '../../dist/sync/apply/mirror-catalogue.js'
import { MirroredTable, mirrorSchema } from '../../dist/sync/apply/mirrored-table.js'
import { BatchEncoder } from '../../dist/sync/read/batch-encoder.js'
import { BufferPool } from '../../dist/sync/read/buffer-pool.js'
import { createReadPlan, type TableReadPlan } from '../../dist/sync/read/read-plan.js'
import type { Random } from './random/random.js'

const buffers = new BufferPool()

/**
 * Copies every ordinary table into the column store with the product's own parts, but at once and
 * without triggers. Rows go in in random order, because a mirror promises none.
 */
export async function copyTables(
  db: Database,
  writer: OlapWriter,
  random: Random,
): Promise<readonly MirrorTable[]> {
  const mirrors: MirrorTable[] = []
  const source = db as unknown as SqliteDatabase
  await writer.execute(`begin; create schema if not exists ${mirrorSchema}`)
  for (const name of listTableNames(source)) {
    const shape = readTableShape(source, name)
    if (!('refused' in shape)) {
      mirrors.push(await copyTable(db, shape, writer, random))
    }
  }
  await writer.execute('commit')
  return mirrors
}

async function copyTable(
  db: Database,
  shape: TableShape,
  writer: OlapWriter,
  random: Random,
): Promise<MirrorTable> {
  const asText = createReadPlan(
    1,
    shape,
    shape.columns.map(() => 'utf8' as const),
  )
  const rows = random.shuffled(readRows(db, asText))
  const seen = profilesOf(rows, asText)
  const table = new MirroredTable({
    tableId: 1,
    shape,
    generation: 1,
    storage: shape.columns.map((column, i) => chooseStorage(column, seen[i]!)),
    profiles: shape.columns.map(() => emptyColumnProfile),
    rowCount: rows.length,
  })
  await new MirrorCatalogue(writer).createCopy(table)
  const appender = await writer.appender(
    { catalog: null, schema: mirrorSchema, table: table.copyName },
    table.plan.kinds,
  )
  const encoder = new BatchEncoder(table.plan.kinds, buffers)
  for (let at = 0; at < rows.length; at += limits.batchRowsMax) {
    encoder.addAll(rows.slice(at, at + limits.batchRowsMax))
    appender.append(encoder.finish())
  }
  appender.flush()
  appender.close()
  table.mergeProfiles(encoder.takeProfiles())
  return table.mirror
}

function readRows(db: Database, plan: TableReadPlan): unknown[][] {
  return db
    .prepare(`select ${plan.selections.join(', ')} from ${plan.table}`)
    .raw()
    .safeIntegers()
    .all() as unknown[][]
}

/** What the columns hold, the extra rowid left out. */
function profilesOf(rows: readonly unknown[][], plan: TableReadPlan): readonly ColumnProfile[] {
  const encoder = new BatchEncoder(plan.kinds, buffers)
  for (let at = 0; at < rows.length; at += limits.batchRowsMax) {
    encoder.addAll(rows.slice(at, at + limits.batchRowsMax))
    encoder.finish()
  }
  return encoder.takeProfiles().slice(plan.hasExtraRowid ? 1 : 0)
}
