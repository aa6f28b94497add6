import type { TableShape } from '../../../src/core/table-shape.js'
import { keep } from '../keep.js'
import type { OpcodeRow, QueryPlanRow } from '../translation.js'

/**
 * The columns by which an index sorts that SQLite makes for one statement: those it searches by,
 * then all others that the statement reads of the table, at last the rowid. The plan names only the
 * first; the rest stands in the program that fills the index.
 *
 * @param line The loop's line of the plan.
 * @returns names of columns, in the order of the index; 'rowid' is null
 */
export function automaticIndexColumns(
  line: string,
  table: TableShape,
  plan: readonly QueryPlanRow[],
  program: readonly OpcodeRow[],
): readonly (string | null)[] {
  const lines = plan.filter(({ detail }) => / USING AUTOMATIC /.test(detail))
  const openings = program.flatMap(({ opcode }, at) => (opcode === 'OpenAutoindex' ? [at] : []))
  const same = lines.filter(({ detail }) => detail === line)
  const opening = openings[lines.findIndex(({ detail }) => detail === line)]
  if (same.length !== 1 || lines.length !== openings.length || opening === undefined) {
    return keep('order: automatic index')
  }
  const columns = recordOf(program.slice(opening)).map((position) =>
    position === 'rowid' ? table.rowidAlias : (table.columns[position]?.name ?? keep(unknown)),
  )
  const searched = [...(/\((.*)\)/.exec(line)?.[1] ?? '').matchAll(/(?:^| AND )(.*?)=\?/g)]
  const isUsual =
    searched.length > 0 &&
    searched.every(([, name], i) => name === columns[i]) &&
    // A position in the record is one in the table only where every column is stored.
    table.columns.every((column) => !column.generated) &&
    isBinary(program[opening]?.p4) &&
    !table.withoutRowid
  return isUsual ? columns : keep(unknown)
}

const unknown = 'order: automatic index not understood'

/** `k(3,B,,)`: B or nothing for every column. */
function isBinary(key: OpcodeRow['p4'] | undefined): boolean {
  return typeof key === 'string' && /^k\(\d+(?:,B?)*\)$/.test(key)
}

/** What the record holds that the program puts into the index, by place. */
function recordOf(program: readonly OpcodeRow[]): readonly (number | 'rowid')[] {
  const index = program[0]?.p1
  const end = program.findIndex(({ opcode, p1 }) => opcode === 'IdxInsert' && p1 === index)
  const filling = program.slice(0, end)
  const made = filling.findLast(({ opcode }) => opcode === 'MakeRecord')
  const source = filling.find(({ opcode }) => opcode === 'Rewind')?.p1
  if (end < 0 || made === undefined || source === undefined) {
    return keep(unknown)
  }
  return Array.from({ length: made.p2 }, (_, i) => {
    const written = filling.filter(
      ({ opcode, p1, p2, p3 }) =>
        p1 === source &&
        ((opcode === 'Column' && p3 === made.p1 + i) || (opcode === 'Rowid' && p2 === made.p1 + i)),
    )
    const [only] = written
    return written.length !== 1 || only === undefined
      ? keep(unknown)
      : only.opcode === 'Rowid'
        ? 'rowid'
        : only.p2
  })
}
