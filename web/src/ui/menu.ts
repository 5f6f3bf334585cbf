// SPDX-License-Identifier: MIT
/** Menus at a point: of a frame, of a track, of a button. */
import type { MenuItem } from '../app/app.js';
import { attributes, make, rove } from './dom.js';
import { place } from './place.js';

export interface Menu {
	/** At a point of the window; the focus goes into it, and back where it was at the end. */
	open(x: number, y: number, items: readonly MenuItem[]): void;
	/** True if it was open. */
	close(): boolean;
	isOpen(): boolean;
}

/** "Shift+C" for a key that was pressed, as items name it. */
export function keyName(event: Pick<KeyboardEvent, 'key' | 'shiftKey'>): string {
	if (event.key.length > 1) return event.shiftKey ? `Shift+${event.key}` : event.key;
	return event.shiftKey ? `Shift+${event.key.toUpperCase()}` : event.key.toLowerCase();
}

/** The next item from `at` on that begins with a letter and can be chosen, in a ring; -1: none. */
export function byLetter(items: readonly MenuItem[], at: number, letter: string): number {
	for (let i = 1; i <= items.length; i++) {
		const next = (at + i) % items.length;
		const item = items[next];
		if (item?.run && item.label.toLowerCase().startsWith(letter.toLowerCase())) return next;
	}
	return -1;
}

function makeItem(item: MenuItem, choose: () => void): HTMLElement {
	if (item.label === '') return attributes(make('li', 'menu-line'), { role: 'separator' });
	if (!item.run) return attributes(make('li', 'menu-head', item.label), { role: 'presentation' });
	const key = item.key ? attributes(make('kbd', '', item.key), { 'aria-hidden': 'true' }) : null;
	const made = make('li', 'menu-item', make('span', '', item.label), key);
	attributes(made, { role: 'menuitem', tabindex: -1 });
	if (item.key) made.setAttribute('aria-keyshortcuts', item.key);
	made.addEventListener('click', choose);
	made.addEventListener('pointermove', () => made.focus({ preventScroll: true }));
	return made;
}

export function makeMenu(): Menu {
	const box = attributes(make('ul', 'menu'), { role: 'menu', tabindex: -1 });
	box.hidden = true;
	document.body.append(box);
	let items: readonly MenuItem[] = [];
	let rows: readonly HTMLElement[] = [];
	let before: Element | null = null;

	const close = (): boolean => {
		if (box.hidden) return false;
		box.hidden = true;
		if (before instanceof HTMLElement && box.contains(document.activeElement)) before.focus();
		return true;
	};
	const choose = (item: MenuItem): void => {
		close();
		item.run?.();
	};
	const press = (event: KeyboardEvent): void => {
		const active = rows.filter((_, i) => items[i]?.run);
		const at = rows.indexOf(document.activeElement as HTMLElement);
		event.stopPropagation();
		if (event.key === 'Escape' || event.key === 'Tab') close();
		else if (event.key === 'Enter' || event.key === ' ') rows[at]?.click();
		else if (rove(event, active)) return;
		else if (event.ctrlKey || event.metaKey || event.altKey) return;
		else {
			const keyed = items.find((item) => item.run && item.key === keyName(event));
			if (keyed) choose(keyed);
			else if (event.key.length === 1) rows[byLetter(items, at, event.key)]?.focus();
			else return;
		}
		event.preventDefault();
	};
	box.addEventListener('keydown', press);
	box.addEventListener('contextmenu', (event) => event.preventDefault());
	addEventListener('blur', close);
	addEventListener('resize', close);
	addEventListener(
		'pointerdown',
		(event) => {
			const { target } = event;
			// a button that opens menus closes its own
			if (target instanceof Element && target.closest('.menu, [aria-haspopup=menu]')) return;
			close();
		},
		{ capture: true },
	);
	return {
		open(x, y, wanted) {
			if (wanted.length === 0) return;
			if (box.hidden) before = document.activeElement;
			items = wanted;
			rows = items.map((item) => makeItem(item, () => choose(item)));
			box.replaceChildren(...rows);
			box.hidden = false;
			box.scrollTop = 0;
			place(box, x, y, 1);
			(rows.find((_, i) => items[i]?.run) ?? box).focus({ preventScroll: true });
		},
		close,
		isOpen: () => !box.hidden,
	};
}
