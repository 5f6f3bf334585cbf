// SPDX-License-Identifier: MIT
/** What narrows the view, as chips: ranges within ranges, the comparison, transforms. Each can go. */
import type { Change } from '../app/app.js';
import type { PageApp } from '../app/page_app.js';
import type { Range, State } from '../app/state.js';
import { describeTransform } from '../app/transforms.js';
import { attributes, button, make } from './dom.js';
import { formatTime, formatWeight } from './format.js';

/** "1.204 s \u2013 1.31 s": as exact as the length of the range asks for. */
export function formatRange({ from, to }: Range): string {
	const length = Math.max(1, to - from);
	const digits = Math.max(0, Math.min(9, 11 - Math.floor(Math.log10(length))));
	const seconds = (ns: number): string => (ns / 1e9).toFixed(Math.max(0, digits));
	const tidy = digits > 0 ? (text: string) => text.replace(/\.?0+$/, '') : (text: string) => text;
	return `${tidy(seconds(from))} s \u2013 ${tidy(seconds(to))} s`;
}

export interface Chips {
	readonly element: HTMLElement;
	update(changed: ReadonlySet<Change>): void;
}

interface Chip {
	readonly text: string;
	readonly title: string;
	readonly className?: string;
	readonly go?: (() => void) | undefined; // what a click on it does
	readonly remove?: () => void;
}

function chipOf(chip: Chip): HTMLElement {
	const { text, title, go, remove } = chip;
	const what = go ? button('chip-text', text, title, go) : make('span', 'chip-text', text);
	what.title = title;
	const cross = remove
		? attributes(button('chip-remove', '\u00d7', '', remove), { 'aria-label': `Remove: ${text}` })
		: null;
	return make('li', `chip ${chip.className ?? ''}`, what, cross);
}

function rangeChips(app: PageApp): Chip[] {
	const { ranges } = app.state;
	const set = (count: number) => (): void => app.set({ ranges: ranges.slice(0, count) });
	const whole: Chip = {
		text: `All ${formatTime(app.capture.durationNs)}`,
		title: ranges.length ? 'Back to the whole capture' : 'Drag over the timeline to select a range',
		className: 'chip-plain',
		go: ranges.length ? set(0) : undefined,
	};
	const chips = ranges.map((range, i) => ({
		text: formatTime(range.to - range.from),
		title: formatRange(range),
		className: 'chip-range',
		go: i < ranges.length - 1 ? set(i + 1) : undefined,
		remove: () => app.set({ ranges: ranges.filter((_, at) => at !== i) }),
	}));
	const last = ranges.at(-1);
	const end = chips.pop();
	if (last && end) chips.push({ ...end, text: `${formatRange(last)} (${end.text})` });
	return app.capture.timed ? [whole, ...chips] : [];
}

function otherChips(app: PageApp): Chip[] {
	const { compare, transforms } = app.state;
	const chips: Chip[] = [];
	if (compare) {
		chips.push({
			text: `against ${formatRange(compare)} (${formatTime(compare.to - compare.from)})`,
			title: 'Every view compares with this range',
			className: 'chip-compare',
			remove: () => app.set({ compare: null }),
		});
	}
	transforms.forEach((transform, i) => {
		chips.push({
			text: describeTransform(app, transform),
			title: 'A change of the stacks, in the order of these chips',
			remove: () => app.set({ transforms: transforms.filter((_, at) => at !== i), zoom: [] }),
		});
	});
	return chips;
}

const KEYS: readonly (keyof State)[] = ['ranges', 'compare', 'transforms'];

/** "of 16 460 samples": how much is shown. */
function amountOf(app: PageApp): string {
	const { now, periodNs } = app.shown();
	if (!(now.sum > 0)) return 'nothing is shown';
	const unit = app.state.unit === 'percent' ? 'time' : app.state.unit;
	const amount = formatWeight(now.sum, now.sum, periodNs, unit);
	const isTime = unit === 'time' && periodNs > 0;
	return `${amount} ${isTime ? 'in all threads' : app.capture.unit}`;
}

export function makeChips(app: PageApp): Chips {
	const list = attributes(make('ul', 'chips'), { 'aria-label': 'What is selected' });
	const amount = make('span', 'chips-amount');
	const clear = button('chips-clear', 'Clear all', 'Ranges, comparison, transforms, threads', () =>
		app.set({
			ranges: [],
			compare: null,
			transforms: [],
			zoom: [],
			mode: 'wall',
			tracks: { ...app.state.tracks, hidden: [] },
		}),
	);
	const fill = (): void => {
		list.replaceChildren(...[...rangeChips(app), ...otherChips(app)].map(chipOf));
	};
	return {
		element: make('div', 'chips-place', list, clear, amount),
		update(changed) {
			const { state } = app;
			if (KEYS.some((key) => changed.has(key))) fill();
			const narrowed =
				state.ranges.length + state.transforms.length + state.tracks.hidden.length > 0 ||
				state.compare !== null ||
				state.mode !== 'wall';
			clear.hidden = !narrowed;
			if (!changed.has('shown') && !changed.has('unit')) return;
			amount.textContent = amountOf(app);
			amount.classList.toggle('nothing', !(app.shown().now.sum > 0));
		},
	};
}
