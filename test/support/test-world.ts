import { randomUUID } from 'node:crypto'
import { onTestFinished } from 'vitest'
import {
  type Door,
  type FailPoint,
  type OutsideWorld,
  replaceOutsideWorld,
} from '../../dist/src/core/outside-world.js'

/**
 * Stands between the package and the world until the test has finished: tells which moments were
 * passed on this thread, and moves the steady clock. Engines and files stay the real ones.
 */
export class TestWorld implements OutsideWorld {
  readonly #passed = new Map<FailPoint, number>()
  #aheadMs = 0
  /** Called at every moment that is passed. */
  onReach: (point: FailPoint) => void = () => undefined
  /** Called before a connection of the package to SQLite executes a text. */
  onExec: (sql: string) => void = () => undefined
  /**
   * Called before a function of DuckDB's bindings, with the text where there is one. One that works
   * beside the event loop begins when the promise resolves that this returns.
   */
  onDuckDb: (name: string, sql: string) => Promise<void> | void = () => undefined

  /** Engines that are opened from now on are seen. */
  constructor() {
    replaceOutsideWorld(this)
    onTestFinished(() => replaceOutsideWorld(null))
  }

  /** How often a moment was passed on this thread. */
  times(point: FailPoint): number {
    return this.#passed.get(point) ?? 0
  }

  /** From now on changes are not applied, as if the store were busy, until the returned function is called. */
  holdChanges(): () => void {
    let resolve = () => {}
    const promise = new Promise<void>((release) => {
      resolve = release
    })
    this.onDuckDb = (name, sql) => (name === 'query' && /^begin\b/.test(sql) ? promise : undefined)
    return () => {
      this.onDuckDb = () => undefined
      resolve()
    }
  }

  /** Lets time pass, for rests and ages but not for timers. */
  pass(ms: number): void {
    this.#aheadMs += ms
  }

  reach(point: FailPoint): void {
    this.#passed.set(point, this.times(point) + 1)
    this.onReach(point)
  }

  through<T extends object>(door: Door, functions: T): T {
    switch (door) {
      case 'sqlite':
        return watch(functions, (name, [sql]) => name === 'exec' && this.onExec(String(sql)))
      case 'duckdb':
        return watch(functions, (name, [, sql]) =>
          this.onDuckDb(name, typeof sql === 'string' ? sql : ''),
        )
      case 'files':
        return functions
    }
  }

  wallClockMs(): number {
    return Date.now()
  }

  steadyClockMs(): number {
    return performance.now() + this.#aheadMs
  }

  uniqueId(): string {
    return randomUUID()
  }
}

/** The functions of an object, each of them told of before it does its work. */
function watch<T extends object>(
  original: T,
  before: (name: string, args: readonly unknown[]) => unknown,
): T {
  const wrapped = new Map<PropertyKey, unknown>()
  // A module's own properties are frozen, so the target of the proxy is another object.
  return new Proxy({} as T, {
    get: (_, name) => {
      const value: unknown = Reflect.get(original, name, original)
      if (typeof value !== 'function' || typeof name !== 'string') {
        return value
      }
      if (!wrapped.has(name)) {
        wrapped.set(name, (...args: unknown[]) => {
          const pause = before(name, args)
          const run = () => Reflect.apply(value, original, args)
          return pause instanceof Promise ? pause.then(run) : run()
        })
      }
      return wrapped.get(name)
    },
  })
}
