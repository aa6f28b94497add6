import type { Database } from 'better-sqlite3'
import type { Random } from '../translate/random/random.js'
import type { RandomTable } from '../translate/random/random-schema.js'

/**
 * A transaction over some tables: bursts on one key, rows that go and come back, keys that change. What
 * breaks a constraint is left out, as `or ignore` does.
 */
export function randomTransaction(
  database: Database,
  tables: readonly RandomTable[],
  random: Random,
): void {
  const names = new Set(
    database.prepare("select name from sqlite_schema where type = 'table'").pluck().all(),
  )
  const writable = tables.filter(({ name }) => names.has(name))
  database.exec('begin')
  for (let n = random.integer(1, 6); n > 0; n--) {
    const sql = randomWrite(random.pick(writable), random)
    try {
      database.exec(sql)
    } catch (error) {
      if (!/constraint|cannot store|datatype mismatch|integer overflow/.test(String(error))) {
        throw error
      }
    }
  }
  database.exec(random.chance(0.1) ? 'rollback' : 'commit')
}

function randomWrite(table: RandomTable, random: Random): string {
  const name = `"${table.name}"`
  const columns = table.columns.filter(({ generated }) => !generated)
  const [key] = columns
  const id = `"${key?.name}"`
  const list = columns.map((column) => `"${column.name}"`)
  const any = random.pick(columns)
  const part = `abs(${id}) % ${random.integer(2, 6)} = ${random.integer(0, 2)}`
  const shifted = [`${id} + ${random.integer(1, 40)}`, ...list.slice(1)].join(', ')
  switch (random.weighted({ update: 5, burst: 2, remove: 2, add: 3, replace: 2, rekey: 1.5 })) {
    case 'update':
      return `update or ignore ${name} set "${any.name}" =
        (select o."${any.name}" from ${name} o where o.${id} > ${name}.${id} order by o.${id} limit 1)
        where ${part}`
    case 'burst':
      return `update or ignore ${name} set "${any.name}" = null where ${id} < 9;
        update or ignore ${name} set "${any.name}" = (select max("${any.name}") from ${name}) where ${id} < 9;
        delete from ${name} where ${id} = ${random.integer(1, 9)}`
    case 'remove':
      return `delete from ${name} where ${part}`
    case 'add':
      return `insert or ignore into ${name}(${list.join(', ')}) select ${shifted} from ${name} where ${part}`
    case 'replace':
      return `insert or replace into ${name}(${list.join(', ')}) select ${shifted} from ${name} where ${part}`
    case 'rekey':
      return `update or replace ${name} set ${id} = ${id} + ${random.integer(1, 30)} where ${part}`
  }
}
