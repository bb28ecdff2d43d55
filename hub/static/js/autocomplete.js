/* Long lists of choices become a box that completes what is typed. The library is fetched only where a page has such a list. */

let library

function fetchLibrary () {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement('script')
    script.src = '/static/vendor/autocomplete/accessible-autocomplete.min.js'
    script.addEventListener('load', () => resolve(globalThis.accessibleAutocomplete))
    script.addEventListener('error', reject)
    document.head.append(script)
  })
  return library
}

export async function startAutocomplete (scope) {
  const lists = [...scope.querySelectorAll('select[data-autocomplete]')]
  if (!lists.length) return
  try {
    const complete = await fetchLibrary()
    for (const list of lists) {
      const chosen = list.selectedOptions[0]
      complete.enhanceSelectElement({ selectElement: list, defaultValue: chosen?.value ? chosen.textContent : '', showAllValues: true })
    }
  } catch {
    // the ordinary list stays, and works
  }
}
