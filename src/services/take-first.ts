/** Takes up to so many entries out of a map, the oldest first. */
export function takeFirst<Name, Entry>(map: Map<Name, Entry>, most: number): [Name, Entry][] {
  const taken: [Name, Entry][] = []
  for (const entry of map) {
    if (taken.length === most) break
    taken.push(entry)
    map.delete(entry[0])
  }
  return taken
}
