import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** A process of ours that runs a script from `test/children` and talks in lines. */
export class Child {
  readonly process: ChildProcess
  readonly #lines: string[] = []
  readonly #errors: string[] = []
  #exit: { code: number | null; signal: string | null } | null = null
  #wake: (() => void) | null = null

  /** @param environment is added to this process' own */
  constructor(
    script: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ) {
    const path = fileURLToPath(new URL(`../children/${script}`, import.meta.url))
    this.process = spawn(process.execPath, [path, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    })
    const { stdout, stderr } = this.process
    if (stdout === null || stderr === null) {
      throw new Error('a child has pipes')
    }
    createInterface({ input: stdout }).on('line', (line) => {
      this.#lines.push(line)
      this.#wake?.()
    })
    stderr.on('data', (data: Buffer) => this.#errors.push(data.toString()))
    // Not 'exit', which may come before the last lines.
    this.process.on('close', (code, signal) => {
      this.#exit = { code, signal }
      this.#wake?.()
    })
    onTestFinished(() => {
      this.process.kill('SIGKILL')
    })
  }

  get errors(): string {
    return this.#errors.join('')
  }

  /** The next line; throws with what the child said of its failure if it ends before. */
  async nextLine(): Promise<string> {
    for (;;) {
      const line = this.#lines.shift()
      if (line !== undefined) {
        return line
      }
      if (this.#exit !== null) {
        throw new Error(`the child ended: ${JSON.stringify(this.#exit)}\n${this.errors}`)
      }
      await this.#change()
    }
  }

  /** The lines that nobody has taken. */
  remainingLines(): string[] {
    return this.#lines.splice(0)
  }

  async ended(): Promise<{ code: number | null; signal: string | null }> {
    while (this.#exit === null) {
      await this.#change()
    }
    return this.#exit
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
