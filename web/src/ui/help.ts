// SPDX-License-Identifier: MIT
/** The help overlay: what to press and click, of the page and of each view. */
import { attributes, button, make } from './dom.js';

export type HelpRows = readonly (readonly [string, string])[];

export const PAGE_HELP: HelpRows = [
	['1 to 9', 'choose a view'],
	['/ or Ctrl+F', 'search; Enter and Shift+Enter lead through the matches'],
	['n, Shift+N', 'next and previous match of the search'],
	['Esc', 'close what is open; then one step out of zooms and ranges'],
	['Alt+Left', 'undo: the browser\u2019s back, forward does it again'],
	['g', 'lines, functions, files, modules'],
	['t', 'time, samples, percent'],
	['i', 'root below or on top'],
	['Tab, Shift+Tab', 'move between the parts of the page'],
	['?', 'this help'],
];

/** What begins with a word has a capital; what begins with a key stays as it is pressed. */
function keysOf(text: string): HTMLElement {
	const words = text.replace(/^\p{Ll}(?=\p{L})/u, (letter) => letter.toUpperCase());
	return attributes(make('th', 'help-keys', words), { scope: 'row' });
}

function sectionOf(title: string, rows: HelpRows): HTMLElement {
	const body = make('tbody');
	for (const [keys, what] of rows) body.append(make('tr', '', keysOf(keys), make('td', '', what)));
	return make('section', '', make('h3', '', title), make('table', '', body));
}

/** Opens it; `sections` is asked each time, the first one is of what is looked at. */
export function makeHelp(sections: () => readonly (readonly [string, HelpRows])[]): {
	toggle(): void;
} {
	const dialog = attributes(make('dialog', 'help'), { 'aria-labelledby': 'help-title' });
	const close = button('dialog-close', '\u00d7', 'Close (Esc)', () => dialog.close());
	const title = attributes(make('h2', '', 'Keys and gestures'), { id: 'help-title' });
	const content = make('div', 'help-sections');
	dialog.append(make('div', 'dialog-head', title, close), content);
	document.body.append(dialog);
	dialog.addEventListener('click', (event) => {
		if (event.target === dialog) dialog.close();
	});
	dialog.addEventListener('keydown', (event) => {
		event.stopPropagation();
		if (event.key === '?') dialog.close();
	});
	return {
		toggle() {
			if (dialog.open) return dialog.close();
			const filled = sections().filter(([, rows]) => rows.length > 0);
			content.replaceChildren(...filled.map(([name, rows]) => sectionOf(name, rows)));
			dialog.showModal();
			content.scrollTop = 0;
		},
	};
}
