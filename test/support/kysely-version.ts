import { readFileSync } from 'node:fs'

const { version } = JSON.parse(
  readFileSync(new URL('../../node_modules/kysely/package.json', import.meta.url), 'utf8'),
) as { version: string }

/** The second number of the installed Kysely's version: 28, 29, 30. */
export const kyselyMinor = Number(version.split('.')[1])
