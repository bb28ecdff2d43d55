/* Starts what makes the pages quicker to use. Every page works without it. */

import { initAll as startGovuk } from '/static/vendor/govuk/govuk-frontend.min.js'
import { initAll as startMoj } from '/static/vendor/moj/moj-frontend.min.js'
import { startAutocomplete } from './autocomplete.js'
import { startDrafts } from './drafts.js'
import { startForms } from './forms.js'
import { startPage } from './page.js'
import { findPlace } from './place.js'
import { startPasskeys } from './passkeys.js'
import { startSession } from './session.js'
import { startTimes } from './time.js'
import { startQueues } from './queue.js'
import { startUploads } from './upload.js'

/** What is started again for a part of the page that was replaced. */
export function startWithin (scope) {
  startGovuk({ scope })
  startMoj({ scope })
  startForms(scope)
  startDrafts(scope)
  startUploads(scope, startWithin)
  startQueues(scope)
  startAutocomplete(scope)
}

startWithin(document)
startPage()
startTimes()
startSession()
startPasskeys()
findPlace()
document.documentElement.dataset.ready = ''
