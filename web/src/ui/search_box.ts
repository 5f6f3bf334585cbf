// SPDX-License-Identifier: MIT
/** The search: what matches lights up in all views; here is how much that is, and the way through. */
import type { Change } from '../app/app.js';
import { matchSums } from '../app/matched.js';
import type { PageApp } from '../app/page_app.js';
import type { Search } from '../app/state.js';
import { attributes, button, make } from './dom.js';
import { formatNumber, formatPercent } from './format.js';

export interface SearchBox {
	readonly element: HTMLElement;
	focus(): void;
	update(changed: ReadonlySet<Change>): void;
}

const NAME = 'Search functions and files';

/** `step` leads to the next (1) or the previous (-1) match in the view. */
export function makeSearchBox(app: PageApp, step: (by: 1 | -1) => void): SearchBox {
	const input = attributes(make('input'), {
		type: 'search',
		'aria-label': NAME,
		'aria-keyshortcuts': '/ Control+F',
		placeholder: 'Search  (/)',
		spellcheck: 'false',
		autocomplete: 'off',
	});
	const found = attributes(make('output', 'search-found'), { 'aria-live': 'polite' });
	const change = (patch: Partial<Search>, how: 'step' | 'move'): void =>
		app.set({ search: { ...app.state.search, ...patch } }, how);
	const toggle = (label: string, title: string, key: 'regex' | 'caseSensitive') =>
		button('search-toggle', label, title, () => change({ [key]: !app.state.search[key] }, 'move'));
	const regex = toggle('.*', 'Regular expression', 'regex');
	const letters = toggle('Aa', 'Tell capital letters from small ones', 'caseSensitive');
	const back = button('search-step', '\u2039', 'Previous match (Shift+N)', () => step(-1));
	const next = button('search-step', '\u203a', 'Next match (n)', () => step(1));

	let fresh = true; // the first letter is a step to go back over, the others are part of it
	input.addEventListener('focus', () => {
		fresh = true;
	});
	input.addEventListener('input', () => {
		change({ text: input.value }, fresh ? 'step' : 'move');
		fresh = false;
	});
	input.addEventListener('keydown', (event) => {
		if (event.key === 'Enter') step(event.shiftKey ? -1 : 1);
		else if (event.key !== 'Escape') return;
		else if (input.value !== '') change({ text: '' }, 'step');
		else input.blur();
		event.preventDefault();
		event.stopPropagation();
	});
	const tell = (): void => {
		const sums = matchSums(app.shown(), app.state.search);
		const none = !sums || sums.functions === 0;
		back.hidden = next.hidden = none;
		found.hidden = !sums;
		attributes(input, { 'aria-invalid': sums?.error ? 'true' : null });
		if (!sums) return;
		const what = none
			? 'nothing'
			: `${formatPercent(sums.share)}, ${formatNumber(sums.functions, 'function')}`;
		found.textContent = sums.error ? `${what} (as plain text)` : what;
		found.title = sums.error
			? `Not a regular expression: ${sums.error}`
			: 'Share of samples with a match in their stack';
	};
	return {
		element: attributes(make('div', 'search', input, regex, letters, back, next, found), {
			role: 'search',
		}),
		focus() {
			input.focus();
			input.select();
		},
		update(changed) {
			if (!changed.has('search') && !changed.has('shown')) return;
			const { text, regex: isRegex, caseSensitive } = app.state.search;
			if (input.value !== text) input.value = text;
			attributes(regex, { 'aria-pressed': String(isRegex) });
			attributes(letters, { 'aria-pressed': String(caseSensitive) });
			tell();
		},
	};
}
