import { accessAttacks } from './api/access.js'
import { crossSiteAttacks } from './api/cross-site.js'
import { parameterAttacks } from './api/parameters.js'
import { requestAttacks } from './api/requests.js'
import { spellingAttacks } from './api/spellings.js'
import type { Attack } from './attack.js'
import { algorithmAttacks } from './jwt/algorithms.js'
import { cveAttacks } from './jwt/cves.js'
import { encodingAttacks } from './jwt/encodings.js'
import { headerAttacks } from './jwt/headers.js'

export const attacks: readonly Attack[] = [
  ...algorithmAttacks,
  ...headerAttacks,
  ...encodingAttacks,
  ...cveAttacks,
  ...accessAttacks,
  ...spellingAttacks,
  ...parameterAttacks,
  ...crossSiteAttacks,
  ...requestAttacks,
]
