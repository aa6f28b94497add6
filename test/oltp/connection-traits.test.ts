import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { readConnectionTraits } from '../../dist/src/oltp/connection-traits.js'
import { ConnectionWatch } from '../../dist/src/oltp/connection-watch.js'

describe('the traits of a connection', () => {
  it('are empty for a fresh one', () => {
    expect(readConnectionTraits(new Database(':memory:'))).toEqual({
      tempNames: new Set(),
      functionNames: new Set(),
      collationNames: new Set(),
      attached: false,
      likeIsCaseSensitive: false,
      integers: 'number',
      unusual: null,
    })
  })

  it('follow every change', () => {
    const database = new Database(':memory:')
    const end = ConnectionWatch.of(database).listen(() => {})
    const traits = () => readConnectionTraits(database)
    expect(traits()).toBe(traits())
    database.function('UPPER', (_a, _b) => 1)
    database.aggregate('middle', { start: 0, step: () => 0 })
    database.table('series', { columns: ['n'], *rows() {} })
    expect(traits().functionNames).toEqual(new Set(['upper', 'middle', 'series']))
    database.exec('create temp table "Note" (a)')
    database.exec('create temp view seen as select 1')
    expect(traits().tempNames).toEqual(new Set(['note', 'seen']))
    database.exec('drop view temp.seen')
    expect(traits().tempNames).toEqual(new Set(['note']))
    database.exec(`attach ':memory:' as other`)
    expect(traits().attached).toBe(true)
    database.exec('detach other')
    expect(traits().attached).toBe(false)
    database.pragma('case_sensitive_like = on')
    expect(traits().likeIsCaseSensitive).toBe(true)
    database.pragma('case_sensitive_like = off')
    expect(traits().likeIsCaseSensitive).toBe(false)
    database.pragma('reverse_unordered_selects = on')
    expect(traits().unusual).toBe('reverse_unordered_selects')
    database.pragma('reverse_unordered_selects = off')
    expect(traits().unusual).toBeNull()
    database.defaultSafeIntegers()
    expect(traits().integers).toBe('bigint')
    database.defaultSafeIntegers(false)
    expect(traits().integers).toBe('number')
    end()
  })

  it('are unusual for a class that cannot be compared with a fresh connection', () => {
    class Own extends Database {
      constructor(path: string, secret?: string) {
        if (secret !== 'secret') {
          throw new Error('no secret')
        }
        super(path)
      }
    }
    expect(readConnectionTraits(new Own(':memory:', 'secret')).unusual).not.toBeNull()
  })

  it('are watched without leaving a trace on the instance', () => {
    const database = new Database(':memory:')
    const before = Object.getOwnPropertyNames(database)
    const ends = [0, 1].map(() => ConnectionWatch.of(database).listen(() => {}))
    expect(Object.hasOwn(database, 'function')).toBe(true)
    expect(database.function('one', () => 1)).toBe(database)
    for (const end of ends) {
      end()
    }
    expect(Object.getOwnPropertyNames(database)).toEqual(before)
    expect(database.function).toBe(Database.prototype.function)
  })
})
