// SPDX-License-Identifier: MIT
/** What the parts of the details panel are made of. */
import type { App } from '../app/app.js';
import { captureFunc, frameMenu, shownFunc } from '../app/transforms.js';
import { NONE } from '../data/capture.js';
import { visible } from '../draw/text.js';
import { attributes, make } from '../ui/dom.js';

/** A section with a heading; null if nothing is in it. */
export function section(
	title: string,
	...children: readonly (Node | string | null)[]
): HTMLElement {
	return make('section', '', make('h3', '', title), ...children);
}

/** A list of names and values. */
export function facts(rows: readonly (readonly [string, string])[]): HTMLElement {
	const list = make('dl', 'panel-facts');
	for (const [name, value] of rows) {
		if (value !== '') list.append(make('dt', '', name), make('dd', '', value));
	}
	return list;
}

/** A line with a bar behind it: a name, and a share of 0 .. 1 as text. */
export function barLine(
	name: string,
	value: string,
	share: number,
	run: (() => void) | null,
): HTMLElement {
	const line = make(run ? 'button' : 'div', 'bar-line', make('span', 'bar-name', name));
	line.append(make('span', 'bar-value', value));
	line.style.setProperty('--share', String(Math.max(0, Math.min(1, share))));
	if (run) {
		attributes(line, { type: 'button' });
		line.addEventListener('click', run);
	}
	return make('li', '', line);
}

export function barList(items: readonly HTMLElement[], none: string): HTMLElement {
	return items.length > 0 ? make('ul', 'bar-list', ...items) : make('p', 'dim', none);
}

/** A frame of a list: lights up everywhere while the pointer is over it, and has its menu. */
export function listenFrame(
	app: App,
	element: HTMLElement,
	own: () => number, // function of the capture
	stackOf: () => number, // as shown, or NONE
): void {
	const func = (): number => shownFunc(app.capture, app.shown().tables, own());
	const light = (): void => {
		const lit = func();
		app.setHover(lit === NONE ? null : { func: lit });
	};
	element.addEventListener('pointerenter', light);
	element.addEventListener('focus', light);
	for (const end of ['pointerleave', 'blur'])
		element.addEventListener(end, () => app.setHover(null));
	element.addEventListener('contextmenu', (event) => {
		event.preventDefault();
		const box = element.getBoundingClientRect();
		const byKey = event.clientX === 0 && event.clientY === 0;
		const [x, y] = byKey ? [box.left + 20, box.bottom] : [event.clientX, event.clientY];
		const shown = func();
		if (shown !== NONE) app.showMenu(x, y, frameMenu(app, app.shown().tables, shown, stackOf()));
	});
}

/** Chooses a function as it is shown. */
export function chooseShown(app: App, func: number): void {
	const own = captureFunc(app.capture, app.shown().tables, func);
	if (own !== NONE) app.set({ func: own, line: 0 }, 'step');
}

export function shownName(app: App, func: number): string {
	return visible((app.shown().tables.funcName[func] || '?').slice(0, 300));
}

export function threadName(app: App, row: number): string {
	const thread = app.capture.threads[row];
	return visible((thread.name || `thread ${thread.tid || row + 1}`).slice(0, 200));
}

/** "worker-3 (4711)", with the main thread said to be it. */
export function threadTitle(app: App, row: number): string {
	const { tid, main, name } = app.capture.threads[row];
	const id = tid && name ? ` (${tid})` : '';
	return `${threadName(app, row)}${id}${main && name !== 'MainThread' ? ', main' : ''}`;
}
