import type { Operation, Step } from './operation.js'

/** Makes a failing script as short as it gets: leaves out runs of operations, then parts of them. */
export async function shrinkScript(
  script: readonly Operation[],
  fails: (script: readonly Operation[]) => Promise<boolean>,
  attemptsMax: number,
): Promise<readonly Operation[]> {
  let best = script
  let attempts = 0
  const attempt = async (shorter: readonly Operation[]) => {
    if (attempts++ >= attemptsMax || !(await fails(shorter))) {
      return false
    }
    best = shorter
    return true
  }
  for (let size = Math.ceil(best.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let start = 0; start < best.length; ) {
      const isLeftOut = await attempt([...best.slice(0, start), ...best.slice(start + size)])
      start += isLeftOut ? 0 : size
    }
  }
  for (let index = 0; index < best.length; index++) {
    for (const smaller of parts(best[index]!)) {
      if (await attempt([...best.slice(0, index), ...smaller, ...best.slice(index + 1)])) {
        index--
        break
      }
    }
  }
  return best
}

/** What could stand in the place of an operation. */
function parts(operation: Operation): (readonly Operation[])[] {
  if (operation.do === 'transaction') {
    const { steps } = operation
    return [
      ...(operation.commit ? [steps.filter((it) => it.do !== 'savepoint')] : []),
      ...steps.map((_, index) => [{ ...operation, steps: without(steps, index) }]),
    ]
  }
  if (operation.do === 'insert' && operation.rows.length > 1) {
    const half = Math.ceil(operation.rows.length / 2)
    return [
      [{ ...operation, rows: operation.rows.slice(0, half) }],
      [{ ...operation, rows: operation.rows.slice(half) }],
    ]
  }
  return operation.do === 'foreign' ? [[operation.statement]] : []
}

function without(steps: readonly Step[], index: number): Step[] {
  return steps.filter((_, at) => at !== index)
}
