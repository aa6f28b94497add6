import type { ColumnKind } from '../../src/core/column-batch.js'
import type { ColumnProfile } from '../../src/core/column-profile.js'
import { quoteText } from '../../src/core/sql-identifier.js'
import type { TableShape } from '../../src/core/table-shape.js'
import type { OlapValue, OlapWriter } from '../../src/olap/olap-store.js'
import { historySchema } from '../../src/oltp/open-history-connection.js'
import { MirroredTable } from '../apply/mirrored-table.js'
import { CopiedVersions, copySchema } from './copied-versions.js'
import type { HistoryTable } from './history-table.js'

/** Columns of the table of copies, in which the store keeps what it has. */
export const storedColumns = ['id', 'generation', 'last_id', 'definition'] as const

/** What `definition` holds, as JSON. */
interface StoredCopy {
  readonly history: HistoryTable
  readonly cuts: number
  readonly rowidColumn: string | null
  readonly shape: TableShape
  readonly storage: readonly ColumnKind[]
  readonly profiles: readonly ColumnProfile[]
}

/** SQL that notes how far a copy is, and what it needs to go on from there. */
export function storeSql({
  history,
  generation,
  cuts,
  rowidColumn,
  versions,
  lastId,
}: CopiedVersions): string {
  const { shape, storage, profiles } = versions
  const definition: StoredCopy = { history, cuts, rowidColumn, shape, storage, profiles }
  return `delete from ${copySchema}.copied where id = ${history.id};
    insert into ${copySchema}.copied(${storedColumns.join(', ')})
      values (${history.id}, ${generation}, ${lastId}, ${quoteText(JSON.stringify(definition))});`
}

/** @param row of `storedColumns` */
export function restoreCopy(writer: OlapWriter, row: readonly OlapValue[]): CopiedVersions {
  const [id, generation, lastId, definition] = row
  const { history, cuts, rowidColumn, ...stored } = JSON.parse(String(definition)) as StoredCopy
  const versions = new MirroredTable({
    ...stored,
    tableId: Number(id),
    generation: 0,
    rowCount: 0,
    schema: historySchema,
  })
  return new CopiedVersions(writer, {
    history,
    generation: Number(generation),
    cuts,
    versions,
    rowidColumn,
    lastId: Number(lastId),
  })
}
