// Loaded before a child's own code, in every one of its threads: kills the process when it reaches
// a fail point, HTAP_FAIL_POINT=name:hit:delayMs. Delayed kills strike inside the call that follows.
import { randomUUID } from 'node:crypto'
import { replaceOutsideWorld } from '../../dist/src/core/outside-world.js'

const [name, hit, delayMs] = (process.env['HTAP_FAIL_POINT'] ?? '').split(':')
let hits = 0

const die = () => {
  process.kill(process.pid, 'SIGKILL')
  // Another thread than this one may still run for a moment; this one must not.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

if (name) {
  replaceOutsideWorld({
    reach(point) {
      if (point === name && ++hits === Number(hit)) {
        if (Number(delayMs) === 0) {
          die()
        }
        setTimeout(die, Number(delayMs))
      }
    },
    through: (_door, functions) => functions,
    wallClockMs: () => Date.now(),
    steadyClockMs: () => performance.now(),
    uniqueId: () => randomUUID(),
  })
}
