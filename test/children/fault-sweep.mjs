// Runs a short life of a database again and again, and makes another call to an engine or a file
// fail each time. The user's statements must not notice, and the mirror and the history must heal.
//
// Arguments: mirror|history, a folder, once|ever, before|after, the first call that fails, the step,
// how many cases.
// Lines: `case <call> <what failed>` for each case, then `untouched <calls>` if one was.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Kysely, sql } from 'kysely'
import { HtapDialect } from 'kysely-htap'
import { faults } from './arm-faults.mjs'
import { insist, isTyped, progress } from './fault-checks.mjs'
import { historyLife } from './history-life.mjs'
import { mirrorLife } from './mirror-life.mjs'

const [name, folder, mode, moment, first, step, cases] = process.argv.slice(2)
const kind = { mirror: mirrorLife, history: historyLife }[name]
/** A case that takes longer hangs. */
const caseMs = 180_000
/** So often a database that refuses to open is opened anew. */
const opensMax = 3

let call = Number(first)
for (let index = 0; index < Number(cases); index++, call += Number(step)) {
  const failed = await run(call)
  console.log(`case ${call} ${failed ?? 'nothing'}`)
  if (failed === null) {
    console.log(`untouched ${faults.calls}`)
    break
  }
}
process.exit(0)

/** One life; null when no call failed in it. */
async function run(from) {
  const path = join(folder, `case-${from}`, 'app.db')
  mkdirSync(join(folder, `case-${from}`), { recursive: true })
  const problems = []
  const check = (isTrue, what) => {
    if (!isTrue) problems.push(what)
  }
  const open = () =>
    new Kysely({
      dialect: new HtapDialect({
        ...kind.options,
        database: path,
        sync: { ...kind.sync, intervalMs: 10, waitTimeoutMs: 300 },
      }),
    })
  const close = (db) =>
    db.destroy().catch((error) => check(isTyped(error), `destroy: ${error.stack}`))
  const life = kind.begin()
  let db = open()
  faults.names.length = 0
  const watchdog = setTimeout(() => {
    console.log(
      `FAILED call ${from} ${mode} ${moment}: hangs ${progress.phase}: ${faults.names.join(' | ')}`,
    )
    process.exit(1)
  }, caseMs)
  faults.arm(from, mode === 'once' ? 1 : 1_000_000_000, moment === 'after')
  try {
    let isOpen = !kind.mayRefuseToOpen
    for (let attempt = 1; !isOpen && attempt <= opensMax; attempt++) {
      isOpen = (await insist(check, () => sql`select 1`.execute(db))) !== undefined
      if (!isOpen) {
        await close(db)
        db = open()
      }
    }
    check(isOpen || mode === 'ever', 'the database does not open')
    if (isOpen) {
      await life.live(db, check)
      if (mode === 'once') {
        await life.heal(db, check, 'in the same process')
      }
    }
    progress.phase = 'closing'
    await close(db)
    const { failed } = faults
    faults.disarm()
    db = open()
    await life.heal(db, check, 'after a restart')
    await db.destroy()
    if (problems.length > 0) {
      throw new Error(problems.join('\n'))
    }
    rmSync(join(folder, `case-${from}`), { recursive: true })
    clearTimeout(watchdog)
    return failed > 0 ? `${faults.names[0] ?? 'a call in a worker'}` : null
  } catch (error) {
    console.log(
      `FAILED call ${from} ${mode} ${moment}: ${faults.names.join(' | ')}\n${error.stack}`,
    )
    process.exit(1)
  }
}
