import { HtapError } from '../../src/core/htap-error.js'
import { foldIdentifier } from '../../src/core/sql-identifier.js'
import { hintOf } from '../hints.js'
import { decodeMoment, encodeMoment, type PlainMoment } from './moment.js'

/** Which versions of rows `history()` shows, in microseconds since 1970; all where there is no period. */
export interface VersionFilter {
  readonly kind: 'all' | 'between' | 'from-to' | 'contained-in'
  readonly from: PlainMoment | null
  readonly to: PlainMoment | null
  /** The ends of rows, too, as versions of their own. */
  readonly deleted: boolean
}

/** What the tables of a query stand for. */
export interface PastQuery {
  /** Every table without a moment of its own. */
  readonly base: PlainMoment | VersionFilter | 'now'
  /** Tables with one, by their folded names in the query. */
  readonly tables: ReadonlyMap<string, TableMoment>
}

interface TableMoment {
  readonly table: string
  readonly moment: PlainMoment
}

const separator = '@htap-'

/** The name by which a query reads a table as of a moment. */
export function momentName(table: string, moment: PlainMoment): string {
  return `${table}${separator}${encodeMoment(moment)}`
}

export function encodeFilter(filter: VersionFilter): string {
  const ends = [filter.from, filter.to].map((it) => (it === null ? '' : encodeMoment(it)))
  return [filter.kind.replace('-', '_'), ...ends, filter.deleted ? 'd' : ''].join('-')
}

function decodeFilter(text: string): VersionFilter {
  const [kind = 'all', from = '', to = '', deleted] = text.split('-')
  return {
    kind: kind.replace('_', '-') as VersionFilter['kind'],
    from: decodeMoment(from),
    to: decodeMoment(to),
    deleted: deleted === 'd',
  }
}

/** The past that the text of a query asks for; null for a query of the present. */
export function pastQueryOf(sql: string): PastQuery | null {
  const hint = hintOf(sql)
  const tables = tableMoments(sql)
  if (hint?.versions !== undefined) {
    return { base: decodeFilter(hint.versions), tables }
  }
  const moment = hint?.asOf === undefined ? null : decodeMoment(hint.asOf)
  return moment === null && tables.size === 0 ? null : { base: moment ?? 'now', tables }
}

/** @throws HtapError `history-missing` */
export function noHistory(): never {
  throw new HtapError('history-missing', 'this instance keeps no history', {
    hint: 'switch temporal mode on: `sync: { mode: "temporal" }`',
  })
}

const none: ReadonlyMap<string, TableMoment> = new Map()
const momentPattern = /"((?:[^"]|"")*)@htap-([ip]\d{1,16})"/g

function tableMoments(sql: string): ReadonlyMap<string, TableMoment> {
  if (!sql.includes(separator)) {
    return none
  }
  const found = new Map<string, TableMoment>()
  for (const [, quoted = '', text = ''] of sql.matchAll(momentPattern)) {
    const table = quoted.replaceAll('""', '"')
    const moment = decodeMoment(text)
    if (moment !== null) {
      found.set(foldIdentifier(momentName(table, moment)), { table, moment })
    }
  }
  return found
}
