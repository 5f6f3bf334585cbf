// SPDX-License-Identifier: MIT
/** The buttons at the right of the head: export, theme, help. */
import type { MenuItem, View } from '../app/app.js';
import type { PageApp } from '../app/page_app.js';
import { settleAll } from '../app/rest.js';
import type { State } from '../app/state.js';
import { saveFolded, savePng, saveSvg } from '../draw/save.js';
import { attributes, button } from './dom.js';

let opener: HTMLElement | null = null; // of the menu that was opened last

/** A button that opens a menu below itself, and closes it again. */
export function menuButton(
	app: PageApp,
	label: string,
	title: string,
	items: () => readonly MenuItem[],
): HTMLButtonElement {
	let closed = false; // by the press that the click is the end of
	const made = button('opener', label, title, () => {
		if (!closed) {
			const box = made.getBoundingClientRect();
			app.showMenu(box.left, box.bottom + 2, items());
			opener = made;
		}
		closed = false;
	});
	made.addEventListener('pointerdown', () => {
		closed = app.close() && opener === made;
	});
	return attributes(made, { 'aria-haspopup': 'menu' });
}

function pictureItems(app: PageApp, view: View | null, panel: HTMLElement | null): MenuItem[] {
	const canvas = panel?.querySelector('canvas') ?? null;
	const picture = view?.svg ? view : canvas;
	const items: MenuItem[] = [];
	if (view?.svg)
		items.push({ label: 'Save as SVG', run: () => tryTo(app, () => saveSvg(app, view)) });
	if (picture) {
		items.push({ label: 'Save as PNG', run: () => tryTo(app, () => savePng(app, picture)) });
	}
	return items.length > 0 ? items : [{ label: 'This view has no picture' }];
}

function tryTo(app: PageApp, run: () => boolean | Promise<boolean>): void {
	const fail = (): void => app.say('There is nothing to save');
	try {
		Promise.resolve(run()).then((done) => done || fail(), fail);
	} catch {
		fail();
	}
}

function copyLink(app: PageApp): void {
	settleAll();
	app.copy(location.href, 'link to what is shown');
}

/** `current`: the view that is seen, and where it is. */
export function exportButton(
	app: PageApp,
	current: () => { view: View | null; panel: HTMLElement | null },
): HTMLButtonElement {
	return menuButton(app, 'Export', 'Save or copy what is shown', () => {
		const { view, panel } = current();
		return [
			...pictureItems(app, view, panel),
			{ label: 'Save as folded text', run: () => saveFolded(app) },
			{ label: '' },
			{ label: 'Copy link', run: () => copyLink(app) },
			{ label: 'Print', run: () => print() },
		];
	});
}

const THEMES: readonly (readonly [State['theme'], string])[] = [
	['auto', 'As the system'],
	['light', 'Light'],
	['dark', 'Dark'],
];

export function themeButton(app: PageApp): HTMLButtonElement {
	return menuButton(app, '\u25d0', 'Light or dark', () =>
		THEMES.map(([theme, label]) => ({
			label: app.state.theme === theme ? `${label} \u2713` : label,
			run: () => app.set({ theme }, 'move'),
		})),
	);
}
