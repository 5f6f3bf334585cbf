// SPDX-License-Identifier: MIT
/** Details of a function as it is shown, and of the run as a whole. */
import type { App } from '../app/app.js';
import { goTo } from '../app/transforms.js';
import { NONE } from '../data/capture.js';
import { visible } from '../draw/text.js';
import { functionSums } from '../model/functions.js';
import { rangeOf } from '../model/samples.js';
import type { Shown } from '../model/shown.js';
import { currentTheme, functionColour } from '../ui/colours.js';
import { button, make } from '../ui/dom.js';
import { formatOf, formatPercent, formatTime, formatWeight } from '../ui/format.js';
import { titleOf } from '../ui/search.js';
import type { Busy, Weighed } from './details_model.js';
import { aroundOf, runSums, threadWeights } from './details_model.js';
import {
	barLine,
	barList,
	chooseShown,
	facts,
	listenFrame,
	section,
	shownName,
	threadName,
} from './details_parts.js';
import { sharePhrase } from './flame_look.js';
import { differenceText, mayBeChance } from './table_numbers.js';

const BRIEF = 6; // of callers, callees, threads
const STATES = ['on processor', 'ready to run', 'waiting', 'not known'];

function amount(app: App, shown: Shown, weight: number): string {
	const unit = app.state.unit === 'percent' ? 'time' : app.state.unit;
	return formatWeight(weight, shown.now.sum, shown.periodNs, unit);
}

function weightRows(app: App, shown: Shown, func: number): (readonly [string, string])[] {
	const sums = functionSums(shown);
	const row = (
		what: string,
		now: number,
		before: number | undefined,
	): (readonly [string, string])[] => {
		const old = before ?? 0;
		const chance = mayBeChance(now, old, shown) ? ', may be chance' : '';
		const rows: (readonly [string, string])[] = [
			[what, `${amount(app, shown, now)}, ${sharePhrase(now, shown.now)}`],
		];
		if (!shown.before) return rows;
		const difference = differenceText(now, old, shown, app.state.unit);
		return [
			...rows,
			[`${what} before`, sharePhrase(old, shown.before)],
			['difference', `${difference}${chance}`],
		];
	};
	return [
		...row('self', sums.self[func], sums.beforeSelf?.[func]),
		...row('total', sums.total[func], sums.beforeTotal?.[func]),
	];
}

/** Lines for functions around one; NONE is said in words. */
function functionLines(
	app: App,
	list: readonly Weighed[],
	sum: number,
	none: string,
): HTMLElement[] {
	const lines = list.slice(0, BRIEF).map(({ row, weight }) => {
		const share = sum > 0 ? weight / sum : 0;
		if (row === NONE) return barLine(none, formatPercent(share), share, null);
		const line = barLine(shownName(app, row), formatPercent(share), share, () =>
			chooseShown(app, row),
		);
		const own = app.shown().tables.funcOwn[row];
		if (own !== NONE && line.firstElementChild instanceof HTMLElement) {
			listenFrame(
				app,
				line.firstElementChild,
				() => own,
				() => NONE,
			);
		}
		return line;
	});
	const rest = list.slice(BRIEF);
	if (rest.length > 0) {
		const share = rest.reduce((all, one) => all + one.weight, 0) / (sum || 1);
		lines.push(barLine(`${rest.length} more`, formatPercent(share), share, null));
	}
	return lines;
}

function threadLines(app: App, list: readonly Weighed[], sum: number): HTMLElement[] {
	const lines = list.slice(0, BRIEF).map(({ row, weight }) => {
		const share = sum > 0 ? weight / sum : 0;
		return barLine(threadName(app, row), formatPercent(share), share, null);
	});
	const rest = list.slice(BRIEF);
	const share = rest.reduce((all, one) => all + one.weight, 0) / (sum || 1);
	if (rest.length > 0) {
		lines.push(barLine(`${rest.length} more`, formatPercent(share), share, null));
	}
	return lines;
}

/** Elements about a function of the shown tables. */
export function functionDetails(app: App, func: number): HTMLElement[] {
	const shown = app.shown();
	const { tables } = shown;
	const sums = functionSums(shown);
	const total = sums.total[func];
	const around = aroundOf(shown, func);
	const name = make('h3', 'details-name', shownName(app, func));
	name.style.setProperty('--tone', functionColour(currentTheme(), tables, func, 'module'));
	name.title = visible(titleOf(tables, func).slice(0, 500));
	const file = tables.funcFile[func];
	const line = tables.funcLine[func];
	const place = file && file !== tables.funcName[func] ? `${file}${line ? `:${line}` : ''}` : '';
	const states = around.shares
		.map((weight, i) => [STATES[i], weight] as const)
		.filter(([, weight]) => weight > 0)
		.map(([state, weight]) => {
			const share = weight / (total || 1);
			return barLine(state, formatPercent(share), share, null);
		});
	const threads = threadWeights(
		app.capture,
		shown,
		app.state,
		rangeOf(app.capture, app.state),
		around.within,
	);
	return [
		name,
		facts([
			['in', visible(place)],
			['module', visible(tables.funcModule[func])],
			...weightRows(app, shown, func),
		]),
		make(
			'div',
			'details-tools',
			button('', 'Source', 'Show its source (o)', () => goTo(app, tables, func, 'source')),
			button('', 'Sandwich', 'Show all callers and callees (b)', () =>
				goTo(app, tables, func, 'sandwich'),
			),
		),
		section(
			'Called by',
			barList(functionLines(app, around.callers, total, 'nothing: a stack begins here'), 'nothing'),
		),
		section(
			'Calls',
			barList(functionLines(app, around.callees, total, 'itself: its own code'), 'nothing'),
		),
		section('By thread', barList(threadLines(app, threads, total), 'none')),
		section('By state', barList(states, 'none')),
	];
}

/** The functions with the most self time that are code. */
function hottest(app: App): HTMLElement[] {
	const shown = app.shown();
	const { self } = functionSums(shown);
	const order = Array.from(self, (weight, row) => ({ row, weight }))
		.filter(({ weight }) => weight > 0)
		.sort((a, b) => b.weight - a.weight);
	return functionLines(app, order.slice(0, BRIEF + 2), shown.now.sum, '').slice(0, BRIEF);
}

/** "30.4 s in 30 422 samples" */
function shownText(app: App, shown: Shown): string {
	const count = formatOf(shown.now.sum, app.capture.unit);
	return shown.periodNs > 0 ? `${formatTime(shown.now.sum * shown.periodNs)} in ${count}` : count;
}

/** Elements about all that is selected. */
export function runDetails(app: App): HTMLElement[] {
	const { capture, state } = app;
	const shown = app.shown();
	const range = rangeOf(capture, state);
	const sums = runSums(capture, state.tracks.hidden, range);
	const span = capture.timed ? range.to - range.from : 0;
	const { periodNs } = shown;
	const ofTime = (weight: number): string =>
		periodNs > 0 && span > 0
			? formatPercent(Math.min(1, (weight * periodNs) / span))
			: formatPercent(weight / (sums.samples || 1));
	const waiting = periodNs > 0 && span > 0 ? (sums.waited * periodNs) / span : 0;
	const busy = (list: readonly Busy[], what: 'running' | 'gilWait'): HTMLElement[] =>
		list.slice(0, BRIEF).map((one) => {
			const share = one[what] / one.samples;
			return barLine(threadName(app, one.thread), formatPercent(share), share, null);
		});
	const threads = busy(sums.threads, 'running');
	const more = sums.threads.length - threads.length;
	if (more > 0) threads.push(barLine(`${more} more`, '', 0, null));
	const waiters = sums.threads
		.filter((one) => one.gilWait / one.samples >= 0.01)
		.sort((x, y) => y.gilWait / y.samples - x.gilWait / x.samples);
	const gil: (readonly [string, string])[] = sums.knowsGil
		? [
				['GIL held', `${ofTime(sums.held)} of the time`],
				['waiting for it', `${waiting.toFixed(2)} threads on average`],
			]
		: [];
	return [
		facts([
			['shown', shownText(app, shown)],
			['time', span > 0 ? formatTime(span) : ''],
			...gil,
			['in GC', sums.gc > 0 ? `${ofTime(sums.gc)} of the time` : ''],
		]),
		section('Hottest functions, by self', barList(hottest(app), 'none')),
		...(sums.threads.some((one) => one.running > 0)
			? [section('Busiest threads: share of their time they run', barList(threads, 'none'))]
			: []),
		...(waiters.length > 0
			? [section('Waiting for the GIL, share of their time', barList(busy(waiters, 'gilWait'), ''))]
			: []),
		make('p', 'dim', 'Click on the timeline for a sample, on a frame or a row for a function.'),
	];
}
