// Loaded before a child's own code, in every one of its threads: makes the n-th call to an engine
// or to the file system fail, in whatever thread it is made. The counters are shared memory.
import { randomUUID } from 'node:crypto'
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { replaceOutsideWorld } from '../../dist/src/core/outside-world.js'

const name = 'htap-faults'
/** Calls so far, the first that fails, how many fail from there on, how many have failed, when. */
const at = { calls: 0, from: 1, count: 2, failed: 3, after: 4 }

if (isMainThread) {
  setEnvironmentData(name, new Int32Array(new SharedArrayBuffer(20)))
}
const shared = getEnvironmentData(name)

export const faults = {
  /** @param after the call does its work before it reports a failure, as a lost answer looks */
  arm(from, count, after) {
    shared.fill(0)
    shared[at.from] = from
    shared[at.count] = count
    shared[at.after] = after ? 1 : 0
  },
  get calls() {
    return Atomics.load(shared, at.calls)
  },
  get failed() {
    return Atomics.load(shared, at.failed)
  },
  disarm() {
    shared[at.count] = 0
  },
  /** What failed, for the report. */
  names: [],
}

/** Only calls that this describes are counted, so that one of a kind can be looked into. */
const counted = new RegExp(process.env['HTAP_FAULT_CALLS'] ?? '')

function call(name, run, fail) {
  if (!counted.test(name)) {
    return run()
  }
  const number = Atomics.add(shared, at.calls, 1) + 1
  const from = shared[at.from]
  if (number < from || number >= from + shared[at.count]) {
    return run()
  }
  Atomics.add(shared, at.failed, 1)
  if (faults.names.length < 5) {
    faults.names.push(name)
  }
  // What fails to be rolled back is rolled back all the same, in both engines.
  if (shared[at.after] === 1 || /rollback/i.test(name)) {
    const answer = run()
    // A call that throws leaves nothing open behind that nobody could close.
    answer?.return?.()
    return answer instanceof Promise ? answer.then(() => fail()) : fail()
  }
  return fail()
}

const duckDbCalls = new Set([
  ...['open', 'connect', 'query', 'prepare', 'execute_prepared', 'fetch_chunk'],
  ...['appender_create_ext', 'append_data_chunk', 'appender_flush_sync', 'appender_close_sync'],
])
const isPromised = (name) => !/_sync$|^append/.test(name)

function duckdb(functions) {
  const wrapped = new Map()
  // The module's own properties are frozen, so the target of the proxy is another object.
  return new Proxy(
    {},
    {
      get(_, name) {
        const original = Reflect.get(functions, name)
        if (!duckDbCalls.has(name)) {
          return original
        }
        if (!wrapped.has(name)) {
          const fail = () => {
            const error = new Error('IO Error: injected failure of the column store')
            if (isPromised(name)) return Promise.reject(error)
            throw error
          }
          wrapped.set(name, (...args) =>
            call(
              `duckdb.${name} ${typeof args[1] === 'string' ? args[1].slice(0, 60) : ''}`,
              () => original(...args),
              fail,
            ),
          )
        }
        return wrapped.get(name)
      },
    },
  )
}

const sqliteCalls = new Set(['exec', 'prepare', 'all', 'get', 'run', 'iterate'])

function sqlite(database, label = '') {
  return new Proxy(database, {
    get(target, name) {
      const original = Reflect.get(target, name, target)
      if (typeof original !== 'function') {
        return original
      }
      return (...args) => {
        const text = label || (typeof args[0] === 'string' ? args[0] : '')
        const run = () => {
          const answer = Reflect.apply(original, target, args)
          if (answer === target) return sqlite(target, text)
          return name === 'prepare' ? sqlite(answer, text) : answer
        }
        const fail = () => {
          throw new Database.SqliteError('disk I/O error', 'SQLITE_IOERR')
        }
        // Asked every few milliseconds: failures of it are a case of their own.
        return sqliteCalls.has(name) && !text.includes('data_version')
          ? call(`sqlite.${name} ${text.replace(/\s+/g, ' ').slice(0, 60)}`, run, fail)
          : run()
      }
    },
  })
}

const fileCalls = new Set([
  'rm',
  'rename',
  'stat',
  'realpath',
  'realpathSync',
  'rmSync',
  'statSync',
  'chmod',
])

function files(functions) {
  return new Proxy(
    {},
    {
      get(_, name) {
        const original = Reflect.get(functions, name)
        if (!fileCalls.has(name)) {
          return original
        }
        const fail = () => {
          const error = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })
          if (!name.endsWith('Sync')) return Promise.reject(error)
          throw error
        }
        return (...args) => call(`files.${name}`, () => original(...args), fail)
      },
    },
  )
}

const doors = { duckdb, sqlite, files }
const startMs = performance.now()

replaceOutsideWorld({
  reach: () => {},
  through: (door, functions) => doors[door](functions),
  wallClockMs: () => Date.now(),
  // Rests after failures pass twenty times as fast.
  steadyClockMs: () => startMs + (performance.now() - startMs) * 20,
  uniqueId: () => randomUUID(),
})
