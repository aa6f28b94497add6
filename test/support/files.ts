import { copyFileSync, existsSync, rmSync } from 'node:fs'

const parts = ['', '-wal'] as const

/** Copies a database as a disk holds it at this moment: the file and its write-ahead log. */
export function copyDatabase(from: string, to: string): void {
  for (const part of parts) {
    rmSync(`${to}${part}`, { force: true })
    if (existsSync(`${from}${part}`)) {
      copyFileSync(`${from}${part}`, `${to}${part}`)
    }
  }
  // The index of the log belongs to processes that run.
  rmSync(`${to}-shm`, { force: true })
}

/** The mirror beside a database. */
export function mirrorOf(path: string): string {
  return `${path}-htap.duckdb`
}

/** Copies the mirror beside a database as a disk holds it at this moment. */
export function copyMirror(from: string, to: string): void {
  for (const part of ['', '.wal']) {
    rmSync(`${mirrorOf(to)}${part}`, { force: true })
    if (existsSync(`${mirrorOf(from)}${part}`)) {
      copyFileSync(`${mirrorOf(from)}${part}`, `${mirrorOf(to)}${part}`)
    }
  }
}
