const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const

export interface CalendarTime {
  day: number
  /** In English, e.g. `November`. */
  month: string
  year: number
  /** 0 to 23. */
  hours: number
  minutes: number
}

/** @param at Seconds since the Unix epoch. @returns What calendars and clocks in UTC show then. */
export function calendarTime(at: number): CalendarTime {
  const date = new Date(at * 1000)
  return {
    day: date.getUTCDate(),
    month: months[date.getUTCMonth()] ?? '',
    year: date.getUTCFullYear(),
    hours: date.getUTCHours(),
    minutes: date.getUTCMinutes(),
  }
}
