// SPDX-License-Identifier: MIT
/** The rows above flame graph, chart and sandwich: choices, legend, breadcrumbs, matches. */

import type { App, Change } from '../app/app.js';
import type { Colouring } from '../app/state.js';
import type { Theme } from '../ui/colours.js';
import { legendOf } from '../ui/colours.js';

/** An element with a class and a text, at the end of `parent`. */
export function add<K extends keyof HTMLElementTagNameMap>(
	parent: HTMLElement,
	tag: K,
	className = '',
	text = '',
): HTMLElementTagNameMap[K] {
	const made = document.createElement(tag);
	if (className) made.className = className;
	if (text) made.textContent = text;
	parent.append(made);
	return made;
}

export function addButton(
	parent: HTMLElement,
	text: string,
	title: string,
	run: () => void,
): HTMLButtonElement {
	const button = add(parent, 'button', '', text);
	button.type = 'button';
	button.title = title;
	if (text && /^[^\p{L}]*$/u.test(text)) button.setAttribute('aria-label', title);
	button.addEventListener('click', run);
	return button;
}

/** Some buttons of which one is pressed. */
export interface Choice<T extends string> {
	readonly element: HTMLElement;
	set(value: T): void;
}

/** `options`: value, text, title. */
export function addChoice<T extends string>(
	parent: HTMLElement,
	label: string,
	options: readonly (readonly [T, string, string])[],
	choose: (value: T) => void,
): Choice<T> {
	const group = add(parent, 'div', 'flame-choice');
	group.setAttribute('role', 'group');
	group.setAttribute('aria-label', label);
	const buttons = options.map(([value, text, title]) =>
		addButton(group, text, title, () => choose(value)),
	);
	return {
		element: group,
		set(value) {
			buttons.forEach((button, i) => {
				button.setAttribute('aria-pressed', String(options[i]?.[0] === value));
			});
		},
	};
}

/** A list to choose from; `fill` replaces its options if they differ from what it has. */
export interface Select {
	readonly element: HTMLLabelElement;
	fill(options: readonly (readonly [string, string])[], value: string): void;
}

export function addSelect(
	parent: HTMLElement,
	label: string,
	choose: (value: string) => void,
): Select {
	const element = add(parent, 'label', 'flame-select', `${label} `);
	const select = add(element, 'select');
	select.addEventListener('change', () => choose(select.value));
	let had = '';
	return {
		element,
		fill(options, value) {
			const now = JSON.stringify(options);
			if (now !== had) {
				had = now;
				select.replaceChildren();
				for (const [v, text] of options) add(select, 'option', '', text).value = v;
			}
			select.value = value;
		},
	};
}

const COLOURINGS: readonly (readonly [Colouring, string])[] = [
	['module', 'module'],
	['file', 'file'],
	['state', 'state'],
];

/** The colourings that can be chosen; differences only if something is compared. */
export function colouringOptions(compared: boolean): readonly (readonly [string, string])[] {
	return compared ? [...COLOURINGS, ['diff', 'difference']] : COLOURINGS;
}

/** What the colours mean; `more` comes after what legendOf() says, or with `alone` in its place. */
export function fillLegend(
	list: HTMLElement,
	theme: Theme,
	how: Colouring,
	more: readonly (readonly [string, string])[] = [],
	alone = false,
): void {
	const items = alone ? more : [...legendOf(theme, how), ...more];
	const shows = items.join(';');
	if (list.dataset.shows === shows) return;
	list.dataset.shows = shows;
	list.replaceChildren();
	for (const [fill, text] of items) {
		const item = add(list, 'li');
		add(item, 'span', 'flame-swatch').style.background = fill;
		item.append(text);
	}
}

/** Breadcrumbs: the names of what is zoomed into, outermost first, each with what leads to it. */
export function fillCrumbs(
	nav: HTMLElement,
	crumbs: readonly (readonly [string, () => void])[],
): void {
	nav.replaceChildren();
	const list = add(nav, 'ol');
	const folded = crumbs.length > 6;
	crumbs.forEach(([name, run], i) => {
		if (folded && i === 1) add(add(list, 'li'), 'span', 'flame-gap', '…');
		if (folded && i > 0 && i < crumbs.length - 4) return;
		const item = add(list, 'li');
		if (i === crumbs.length - 1) {
			add(item, 'b', '', name).setAttribute('aria-current', 'true');
			return;
		}
		addButton(item, name, `Zoom out to ${name}`, run);
	});
}

/** Changes that alter no picture of a call tree by themselves; what they select comes as 'shown'. */
const APART: ReadonlySet<Change> = new Set<Change>([
	'hover',
	'preview',
	'sample',
	'tracks',
	'ranges',
	'compare',
	'mode',
	'transforms',
	'func',
	'line',
	'sort',
	'filter',
	'lane',
]);

/** Whether a call tree must be drawn anew after changes. */
export function concernsTrees(changed: ReadonlySet<Change>): boolean {
	for (const change of changed) if (!APART.has(change)) return true;
	return false;
}

const compares = new WeakMap<App, boolean>();

/** Colours by difference when a comparison begins, unless another colouring is chosen afterwards. */
export function followComparison(app: App, now: boolean): void {
	const was = compares.get(app) ?? app.state.colouring === 'diff';
	compares.set(app, now);
	if (now === was) return;
	if (now) app.set({ colouring: 'diff' }, 'move');
	else if (app.state.colouring === 'diff') app.set({ colouring: 'module', widths: 'now' }, 'move');
}
