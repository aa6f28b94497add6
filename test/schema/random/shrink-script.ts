/** Runs that finding a shorter script may take. */
const runsMax = 80

/** Leaves out steps for as long as what remains still fails. */
export async function shrinkScript<Step>(
  steps: readonly Step[],
  fails: (steps: readonly Step[]) => Promise<boolean>,
): Promise<readonly Step[]> {
  let best = steps
  let runs = 0
  for (let size = Math.ceil(best.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = best.length - size; at >= 0 && runs < runsMax; at -= size) {
      const shorter = [...best.slice(0, at), ...best.slice(at + size)]
      runs++
      if (await fails(shorter)) {
        best = shorter
      }
    }
  }
  return best
}
