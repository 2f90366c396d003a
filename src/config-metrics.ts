import { z } from 'zod'

export interface MetricsConfig {
  /** Where `/metrics` is served, apart from everything else. */
  host: string
  port: number
  /** What whoever asks must bring as a bearer token, if anything. */
  token: string | undefined
}

const shortestToken = 16

/** The variables that say where the metrics are, and for whom. */
export const metricsVariables = {
  METRICS_PORT: z
    .string()
    .regex(/^\d{1,5}$/)
    .transform(Number)
    .refine((value) => value <= 65_535)
    .optional()
    .describe('must be an integer from 0 to 65535'),
  METRICS_HOST: z.string().default('127.0.0.1').describe('must be an address to listen on'),
  METRICS_TOKEN: z
    .string()
    .optional()
    .describe(`must have ${shortestToken} characters or more, without spaces`),
  METRICS_TOKEN_FILE: z.string().optional().describe('must be the path of a file'),
} as const

type MetricsValues = z.infer<z.ZodObject<typeof metricsVariables>>

/** @returns `undefined` if nobody is to measure anything. */
export function readMetrics(
  values: MetricsValues,
  token: string | undefined,
): MetricsConfig | undefined {
  if (values.METRICS_PORT === undefined) return undefined
  return { host: values.METRICS_HOST, port: values.METRICS_PORT, token }
}

export function isMetricsToken(text: string): boolean {
  return text.length >= shortestToken && /^[\x21-\x7e]+$/.test(text)
}
