/* Small comforts of every page: menus that close, filters that stand open on a wide screen, / for the search, a shadow under the
   record's bar once it stays behind, and the message of what was just done brought to notice. */

const MENUS = 'details.hub-menu[open]'
const SETTING = 'hub-shortcut'

function closeMenus (except) {
  for (const menu of document.querySelectorAll(MENUS)) if (!except || !menu.contains(except)) menu.open = false
}

function startMenus () {
  document.addEventListener('click', (event) => closeMenus(event.target))
  document.addEventListener('focusin', (event) => closeMenus(event.target))
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return
    const menu = document.activeElement?.closest(MENUS)
    closeMenus()
    menu?.querySelector('summary').focus()
  })
}

function startFilters () {
  const wide = matchMedia('(min-width: 72em)')
  const fit = () => { for (const fold of document.querySelectorAll('[data-hub-filters]')) fold.open = wide.matches }
  wide.addEventListener('change', fit)
  if (wide.matches) fit()
}

const typing = (element) => element?.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element?.tagName ?? '')

/* A key that acts by itself must be possible to turn off (WCAG 2.1.4); the choice is a setting, not a record */
function startShortcut () {
  const search = document.querySelector('[data-shortcut="/"]')
  const setting = document.querySelector('[data-shortcut-setting]')
  if (!search || !setting) return
  const button = setting.querySelector('button')
  const isOn = () => localStorage.getItem(SETTING) !== 'off'
  const show = () => {
    button.setAttribute('aria-pressed', String(isOn()))
    setting.querySelector('[data-shortcut-state]').textContent = isOn() ? 'on' : 'off'
  }
  button.addEventListener('click', () => { localStorage.setItem(SETTING, isOn() ? 'off' : 'on'); show() })
  setting.hidden = false
  show()
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !isOn()) return
    if (document.querySelector('dialog[open]')) return
    event.preventDefault()
    search.focus()
    search.select()
  })
}

function startRecordBar () {
  const bar = document.querySelector('.hub-record-bar')
  if (!bar) return
  const fit = () => document.documentElement.style.setProperty('scroll-padding-top', getComputedStyle(bar).position === 'sticky' ? `${bar.offsetHeight + 16}px` : '')
  new ResizeObserver(fit).observe(bar)
  const stuck = () => bar.classList.toggle('hub-record-bar--stuck', scrollY > 0 && bar.getBoundingClientRect().top <= 0)
  addEventListener('scroll', stuck, { passive: true })
  stuck()
}

/* What was just done is said once the page stands: a polite region is read out only when its words change */
function startMessages () {
  const said = [...document.querySelectorAll('[data-message]')].map((message) => message.textContent.trim().replace(/\s+/g, ' '))
  const region = document.querySelector('[data-announce]')
  if (region && said.length) setTimeout(() => { region.textContent = said.join(' ') }, 200)
}

/* Where the tabs scroll sideways, the one in hand is shown */
function startTabs () {
  for (const link of document.querySelectorAll('.hub-nav__link[aria-current], .hub-tabs__link[aria-current]')) {
    const list = link.closest('ul')
    list.scrollLeft = link.offsetLeft + link.offsetWidth / 2 - list.clientWidth / 2
  }
}

export function startPage () {
  startMenus()
  startFilters()
  startShortcut()
  startRecordBar()
  startTabs()
  startMessages()
}
