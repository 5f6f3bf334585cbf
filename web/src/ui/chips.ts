// SPDX-License-Identifier: MIT
/** What narrows the view, as chips: ranges within ranges, the comparison, transforms. Each can go. */
import type { Change } from '../app/app.js';
import type { PageApp } from '../app/page_app.js';
import type { Range } from '../app/state.js';
import { describeTransform } from '../app/transforms.js';
import { type Capture, NONE } from '../data/capture.js';
import { spanLabel } from '../model/spans.js';
import { attributes, button, make } from './dom.js';
import { formatOf, formatTime } from './format.js';

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
	if (last && end) {
		const text = app.state.last > 0 ? `the last ${end.text}` : `${formatRange(last)} (${end.text})`;
		chips.push({ ...end, text });
	}
	return app.capture.timed ? [whole, ...chips] : [];
}

/** Of State.spans: one by its name and text, a regular expression without its anchors. */
function spansText({ spans }: Capture, text: string): string {
	const [, what = '', least, most] = /^(.*?)(?:~(\d*)~(\d*))?$/s.exec(text) ?? [];
	const one = spans[Number(what.slice(1))];
	if (what[0] === '#') return one ? spanLabel(one) : text;
	const bounds = [
		least && `${formatTime(Number(least))} or more`,
		most && `below ${formatTime(Number(most))}`,
	];
	const name = what.replace(/^\^|\$$|\( \|\$\)$|\\(?=\W)/g, '');
	return [name, ...bounds].filter(Boolean).join(', ');
}

function otherChips(app: PageApp): Chip[] {
	const { compare, transforms, ranges, ago, spans, against } = app.state;
	const when =
		compare &&
		(ago > 0 ? `${formatTime((ranges[0]?.to ?? 0) - compare.to)} ago` : formatRange(compare));
	const chips: Chip[] = [];
	if (spans) {
		chips.push({
			text: spansText(app.capture, spans),
			title: 'Only samples in these spans',
			remove: () => app.set({ spans: '' }),
		});
	}
	if (against) {
		chips.push({
			text: `against ${spansText(app.capture, against)}`,
			title: 'Every view compares with these spans',
			className: 'chip-compare',
			remove: () => app.set({ against: '' }),
		});
	}
	if (compare) {
		chips.push({
			text: `against ${when} (${formatTime(compare.to - compare.from)})`,
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

const KEYS: readonly Change[] = [
	'ranges',
	'compare',
	'transforms',
	'last',
	'ago',
	'capture',
	'spans',
	'against',
];

/** "of 16 460 samples": how much is shown. */
function amountOf(app: PageApp): string {
	const { now, periodNs } = app.shown();
	if (!(now.sum > 0)) return 'nothing is shown';
	const isTime = app.state.unit !== 'samples' && periodNs > 0;
	if (isTime) return `${formatTime(now.sum * periodNs)} in all threads`;
	return formatOf(now.sum, app.capture.unit);
}

export function makeChips(app: PageApp): Chips {
	const list = attributes(make('ul', 'chips'), { 'aria-label': 'What is selected' });
	const amount = make('span', 'chips-amount');
	const what = 'Ranges, comparison, transforms, threads; the chosen sample and function';
	const clear = button('chips-clear', 'Clear all', what, () =>
		app.set({
			ranges: [],
			compare: null,
			spans: '',
			against: '',
			transforms: [],
			zoom: [],
			mode: 'wall',
			tracks: { ...app.state.tracks, hidden: [] },
			sample: NONE,
			func: NONE,
			line: 0,
		}),
	);
	const fill = (): void => {
		const at = [...list.querySelectorAll('button')].indexOf(document.activeElement as never);
		list.replaceChildren(...[...rangeChips(app), ...otherChips(app)].map(chipOf));
		if (at >= 0) list.querySelectorAll('button')[at]?.focus();
	};
	return {
		element: make('div', 'chips-place', list, clear, amount),
		update(changed) {
			const { state } = app;
			if (KEYS.some((key) => changed.has(key))) fill();
			const narrowed =
				state.ranges.length + state.transforms.length + state.tracks.hidden.length > 0 ||
				state.compare !== null ||
				state.spans + state.against !== '' ||
				state.mode !== 'wall';
			clear.hidden = !narrowed && state.sample === NONE && state.func === NONE;
			if (!changed.has('shown') && !changed.has('unit')) return;
			amount.textContent = amountOf(app);
			amount.classList.toggle('nothing', !(app.shown().now.sum > 0));
		},
	};
}
