// SPDX-License-Identifier: MIT
/** The panel at the side: the selected sample, or the selected function, or the run as a whole. */
import type { App, Change, View } from '../app/app.js';
import { shownFunc } from '../app/transforms.js';
import { NONE } from '../data/capture.js';
import { attributes, button, make } from '../ui/dom.js';
import { functionDetails, runDetails } from './details_function.js';
import { lightFrames, neighbour, sampleDetails } from './details_sample.js';

type Kind = 'sample' | 'function' | 'run';

const KINDS: readonly (readonly [Kind, string])[] = [
	['sample', 'Sample'],
	['function', 'Function'],
	['run', 'Run'],
];

/** What the content depends on, besides what it is about. */
const OTHERS: readonly Change[] = ['shown', 'unit', 'colours', 'ranges', 'mode', 'tracks'];

function startDetails(root: HTMLElement, app: App) {
	root.classList.add('details-view');
	const tabs = attributes(make('div', 'switch details-tabs'), {
		role: 'radiogroup',
		'aria-label': 'Details of',
	});
	const content = make('div', 'details-content');
	root.append(tabs, content);
	let kind: Kind = 'run';
	let own = false; // the function was chosen here, among the frames of a sample

	const func = (): number => shownFunc(app.capture, app.shown().tables, app.state.func);
	const has = (which: Kind): boolean =>
		which === 'run' || (which === 'sample' ? app.state.sample !== NONE : func() !== NONE);
	const buttons = KINDS.map(([which, label]) => {
		const one = button('', label, '', () => {
			kind = which;
			fill();
		});
		return attributes(one, { role: 'radio' });
	});
	tabs.append(...buttons);
	content.addEventListener(
		'click',
		(event) => {
			own = event.target instanceof Element && event.target.closest('.frame') !== null;
		},
		true,
	);

	const fill = (): void => {
		if (!has(kind)) kind = has('sample') ? 'sample' : has('function') ? 'function' : 'run';
		KINDS.forEach(([which], i) => {
			buttons[i].disabled = !has(which);
			attributes(buttons[i], { 'aria-checked': String(which === kind) });
		});
		const { sample } = app.state;
		const focused = content.contains(document.activeElement) ? focusedTitle() : '';
		const parts =
			kind === 'sample'
				? sampleDetails(app, sample)
				: kind === 'function'
					? functionDetails(app, func())
					: runDetails(app);
		content.replaceChildren(...parts);
		if (kind === 'sample') lightFrames(app, content);
		// the button that was pressed is there again
		if (focused) content.querySelector<HTMLElement>(`[title="${CSS.escape(focused)}"]`)?.focus();
	};
	const focusedTitle = (): string => {
		const active = document.activeElement;
		return active instanceof HTMLButtonElement && !active.matches('.frame') ? active.title : '';
	};
	const step = (by: 1 | -1): boolean => {
		const to = kind === 'sample' ? neighbour(app, app.state.sample, by) : NONE;
		if (to === NONE) return false;
		app.set({ sample: to }, 'move');
		return true;
	};
	return {
		update(changed: ReadonlySet<Change>): void {
			const was = kind;
			const isNew = content.childElementCount === 0;
			if (isNew) kind = has('sample') ? 'sample' : has('function') ? 'function' : 'run';
			else if (changed.has('sample') && app.state.sample !== NONE) kind = 'sample';
			else if (changed.has('func') && !own && app.state.func !== NONE) kind = 'function';
			const stays = kind === was && kind === 'sample' && has('sample');
			const about = kind === 'sample' ? changed.has('sample') : changed.has('func');
			own = false;
			const redo = isNew || kind !== was || about || !has(kind) || changed.has('colours');
			if (redo || (!stays && OTHERS.some((change) => changed.has(change)))) fill();
			else if (changed.has('func')) syncTabs();
			if (kind === 'sample' && (changed.has('hover') || changed.has('func'))) {
				lightFrames(app, content);
			}
		},
		key(event: KeyboardEvent): boolean {
			if (event.key === 'ArrowLeft') return step(-1);
			return event.key === 'ArrowRight' && step(1);
		},
	};
	function syncTabs(): void {
		KINDS.forEach(([which], i) => {
			buttons[i].disabled = !has(which);
		});
	}
}

export function makeDetails(): View {
	let details: ReturnType<typeof startDetails> | null = null;
	return {
		mount(root, app) {
			details = startDetails(root, app);
		},
		update: (changed) => details?.update(changed),
		key: (event) => details?.key(event) ?? false,
		help: [
			['Left, Right', 'sample before and next sample of the thread'],
			['Click on a frame', 'choose its function and line; double click: its source'],
			['Right click', 'menu of a frame'],
		],
	};
}
