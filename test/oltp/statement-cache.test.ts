import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { StatementCache } from '../../dist/src/oltp/statement-cache.js'

describe('the statement cache', () => {
  it('keeps the most recently used statements', () => {
    const cache = new StatementCache(new Database(':memory:'), 2)
    const first = cache.get('select 1')
    cache.get('select 2')
    expect(cache.get('select 1')).toBe(first)
    cache.get('select 3')
    expect(cache.size).toBe(2)
    expect(cache.get('select 1')).toBe(first)
  })

  it('gives a second statement while the first is iterated', () => {
    const cache = new StatementCache(new Database(':memory:'))
    const iterator = cache.get('values (1), (2)').statement.iterate()
    iterator.next()
    expect(cache.get('values (1), (2)').statement.all()).toHaveLength(2)
    iterator.return?.()
  })

  it('does not keep pragmas, which act when they are prepared', () => {
    const database = new Database(':memory:')
    const cache = new StatementCache(database)
    cache.get('pragma case_sensitive_like = 1').statement.run()
    expect(database.prepare(`select 'a' like 'A'`).pluck().get()).toBe(0)
    database.pragma('case_sensitive_like = 0')
    cache.get('pragma case_sensitive_like = 1').statement.run()
    expect(database.prepare(`select 'a' like 'A'`).pluck().get()).toBe(0)
    expect(cache.size).toBe(0)
  })

  it('tells plain reads from the rest by what SQLite says', () => {
    const database = new Database(':memory:')
    database.exec('create table t (a)')
    const cache = new StatementCache(database)
    const isRead = (sql: string) => cache.get(sql).isPlainRead
    expect(isRead('-- a\n/* b */ select 1')).toBe(true)
    expect(isRead('with x as (select 1) select * from x')).toBe(true)
    expect(isRead('with x as (select 1) insert into t select * from x returning a')).toBe(false)
    expect(isRead('pragma user_version')).toBe(false)
    expect(isRead('begin')).toBe(false)
    expect(isRead('explain select * from t')).toBe(true)
    expect(cache.getRead('delete from t returning *')).toBeNull()
  })
})
