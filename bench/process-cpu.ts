import { readFileSync } from 'node:fs'

/** Clock ticks a second in /proc, as on every usual Linux. */
const ticksPerSecond = 100

/** @returns Seconds of CPU that a process has taken since it began. */
export function cpuSecondsOf(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}
