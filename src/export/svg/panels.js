// SPDX-License-Identifier: MIT
// What surrounds the flames: top bar, breadcrumb, legend, details, tooltip, help.
import { functionTotal, linesOf, nameOf, placeOf } from './data.js';
import { changeFacts, changeSwatches, changeTotals } from './diff.js';
import { html } from './dom.js';
import { ancestorsOf, groupMembers, isGroup, viewTotal } from './layout.js';
import {
	formatAmount,
	formatCount,
	formatPercent,
	formatSamples,
	ORIGINS,
	visible,
} from './text.js';

const SHOWN_LINES = 4;
const SHOWN_CRUMBS = 3;
const TIP_GAP = 14;
const LONGEST_NAME = 400; // of a name in tooltips, where it wraps

const KEYS = [
	['Click, Enter', 'zoom into a frame; on a hatched box: into the frames it stands for'],
	['Esc, Backspace', 'out to the next wider frame'],
	['Home, 0', 'everything'],
	['Arrows', 'from frame to frame'],
	['Ctrl-F, /', 'search functions and files by regular expression'],
	['Enter, n', 'next match'],
	['Shift-Enter, N', 'previous match'],
	['Ctrl-I', 'match case'],
	['i', 'flames or icicles'],
	['t', 'dark or light'],
	['?', 'this help'],
];

function button(label, text, onclick) {
	return html('button', { type: 'button', 'aria-label': label, title: label, onclick }, text);
}

function shorten(text) {
	return text.length > LONGEST_NAME ? text.slice(0, LONGEST_NAME) + '…' : text;
}

export function makeBar(tree, secondsEach, act) {
	const input = html('input', {
		type: 'search',
		placeholder: 'Search',
		'aria-label': 'Search functions and files by regular expression',
		autocomplete: 'off',
		spellcheck: 'false',
		oninput: () => act.search(input.value),
	});
	const matchCase = button('Match case (Ctrl-I)', 'Aa', act.toggleCase);
	const found = html('output', { class: 'found' });
	const previous = button('Previous match (Shift-Enter)', '‹', () => act.step(-1));
	const next = button('Next match (Enter)', '›', () => act.step(1));
	const command = visible(tree.command || '');
	const totals = tree.diff
		? visible(changeTotals(tree.diff))
		: formatAmount(tree.total[0], secondsEach) +
			(tree.unit && !secondsEach ? ` of ${visible(tree.unit)}` : '');
	const crumbs = html('nav', { class: 'crumbs', 'aria-label': 'Zoom' });
	const legend = html('ul', {
		class: 'legend',
		'aria-label': tree.diff ? 'Colours' : 'Share of self time by origin',
	});
	const element = html(
		'header',
		{},
		html(
			'div',
			{ class: 'heading' },
			html('h1', {}, visible(tree.title)),
			html('span', { class: 'totals' }, totals),
			html('code', { class: 'command', title: command }, command),
		),
		html(
			'div',
			{ class: 'tools' },
			html(
				'div',
				{ class: 'search', role: 'search' },
				input,
				matchCase,
				found,
				previous,
				next,
			),
			button('Flames or icicles (i)', '⇅', act.flip),
			button('Dark or light (t)', '◐', act.toggleTheme),
			button('Help (?)', '?', act.help),
		),
		html('div', { class: 'where' }, crumbs, legend),
	);

	const showFound = (state, matches, error) => {
		const searching = Boolean(state.search);
		input.setAttribute('aria-invalid', String(Boolean(error)));
		matchCase.setAttribute('aria-pressed', String(state.matchCase));
		found.className = error ? 'found error' : 'found';
		previous.hidden = next.hidden = !searching || Boolean(error);
		if (input.value !== state.search) input.value = state.search;
		found.textContent = !searching ? '' : error ? error : matches;
		found.title = found.textContent;
	};
	const showCrumbs = (view) => {
		const above = ancestorsOf(tree, view).filter((node) => node > 0);
		const home = html(
			'button',
			{ type: 'button', class: 'home', onclick: () => act.zoom({ node: 0 }) },
			'all',
		);
		const parts = [home];
		const link = (node) =>
			html(
				'button',
				{ type: 'button', onclick: () => act.zoom({ node }) },
				shorten(nameOf(tree, node)),
			);
		if (above.length > SHOWN_CRUMBS)
			parts.push(
				html('span', { class: 'gap', title: `${above.length - SHOWN_CRUMBS} more` }, '…'),
			);
		parts.push(...above.slice(-SHOWN_CRUMBS).map(link));
		if (isGroup(view))
			parts.push(html('b', {}, `${formatCount(view.to - view.from)} smaller calls`));
		else if (view.node > 0) parts.push(html('b', {}, shorten(nameOf(tree, view.node))));
		if (view.node > 0 || isGroup(view))
			parts.push(
				html(
					'span',
					{ class: 'share' },
					`${formatPercent(viewTotal(tree, view), tree.total[0])} of all`,
				),
				button('Zoom out (Esc)', '✕', () => act.zoom({ node: 0 })),
			);
		crumbs.replaceChildren(
			...parts.flatMap((part, i) =>
				i && part.className !== 'share' && part.textContent !== '✕'
					? [html('i', {}, '›'), part]
					: [part],
			),
		);
	};
	const showChanges = () =>
		legend.replaceChildren(
			...changeSwatches().map(([css, text]) =>
				html('li', {}, html('span', { class: `swatch change-${css}` }), text),
			),
		);
	const showLegend = (view) => {
		if (tree.diff) return showChanges();
		const starts = isGroup(view) ? groupMembers(tree, view) : [view.node];
		const self = ORIGINS.map(() => 0);
		for (const start of starts)
			for (let i = start; i < tree.end[start]; i++)
				if (i > 0) self[tree.functions[tree.fn[i]].origin] += tree.self[i];
		const total = viewTotal(tree, view);
		return legend.replaceChildren(
			...ORIGINS.flatMap(({ text, swatch }, i) =>
				self[i]
					? [
							html(
								'li',
								{
									title: `${formatPercent(self[i], total)} of self time is in ${text}`,
								},
								html('span', { class: 'swatch ' + swatch }),
								`${text} ${Math.round((100 * self[i]) / total)} %`,
							),
						]
					: [],
			),
		);
	};
	return { element, input, showFound, showCrumbs, showLegend };
}

function describeLines(tree, node) {
	const pairs = linesOf(tree, node).filter(([line]) => line > 0);
	const shown = pairs
		.slice(0, SHOWN_LINES)
		.map(([line, samples]) => `line ${line}: ${formatPercent(samples, tree.total[node])}`);
	if (pairs.length > SHOWN_LINES) shown.push(`${pairs.length - SHOWN_LINES} more lines`);
	return shown.join(', ');
}

// What there is to say about an item, as [term, text] pairs after a name and a place.
function describe(tree, view, item, secondsEach, everywhere) {
	const all = tree.total[0];
	const inView = viewTotal(tree, view);
	if (tree.diff && !item.rest)
		return {
			name: shorten(nameOf(tree, item.node)),
			place: placeOf(tree, item.node),
			facts: changeFacts(tree, item.node),
		};
	const facts = [
		[
			'total',
			tree.diff
				? formatPercent(item.samples, all)
				: `${formatAmount(item.samples, secondsEach)} · ${formatPercent(item.samples, all)}`,
		],
	];
	if (inView < all && !item.above)
		facts.push(['of the zoom', formatPercent(item.samples, inView)]);
	if (item.rest)
		return {
			name: `${formatCount(item.frames)} more frames`,
			place: '',
			facts: [...facts, ['', 'too narrow to draw; click to look into them']],
		};
	const self = tree.self[item.node];
	if (item.node > 0) facts.push(['self', `${formatSamples(self)} · ${formatPercent(self, all)}`]);
	const lines = describeLines(tree, item.node);
	if (lines) facts.push(['lines', lines]);
	if (item.node > 0) {
		const { total, places } = everywhere(tree.fn[item.node]);
		if (places > 1)
			facts.push([
				'everywhere',
				`${formatPercent(total, all)} in ${formatCount(places)} places`,
			]);
	}
	return { name: shorten(nameOf(tree, item.node)), place: placeOf(tree, item.node), facts };
}

function makeEverywhere(tree) {
	const known = new Map();
	return (fn) => {
		if (!known.has(fn)) known.set(fn, functionTotal(tree, fn));
		return known.get(fn);
	};
}

export function makeDetails(tree, secondsEach) {
	const tip = html('div', { class: 'tip', 'aria-hidden': 'true' });
	const footer = html('footer', { role: 'status', 'aria-live': 'polite' });
	const everywhere = makeEverywhere(tree);

	const fillTip = ({ name, place, facts }) => {
		tip.replaceChildren(
			html('div', { class: 'name' }, name),
			html('div', { class: 'place' }, place),
			html(
				'dl',
				{},
				...facts.flatMap(([term, text]) => [html('dt', {}, term), html('dd', {}, text)]),
			),
		);
	};
	const fillFooter = ({ name, place, facts }) => {
		footer.replaceChildren(
			html('b', {}, name),
			html('span', { class: 'place' }, place),
			...facts.map(([term, text]) =>
				html('span', { class: 'fact' }, html('i', {}, term), ` ${text}`),
			),
		);
	};
	return {
		tip,
		footer,
		show(view, item) {
			const description = describe(tree, view, item, secondsEach, everywhere);
			fillTip(description);
			fillFooter(description);
		},
		moveTip(x, y) {
			tip.classList.add('on');
			const { width, height } = tip.getBoundingClientRect();
			const left =
				x + TIP_GAP + width > innerWidth ? Math.max(4, x - TIP_GAP - width) : x + TIP_GAP;
			const top =
				y + TIP_GAP + height > innerHeight
					? Math.max(4, y - TIP_GAP - height)
					: y + TIP_GAP;
			tip.style.transform = `translate(${Math.round(left)}px,${Math.round(top)}px)`;
		},
		hideTip: () => tip.classList.remove('on'),
		clear: () =>
			footer.replaceChildren(
				html(
					'span',
					{ class: 'hint' },
					'Point at a frame for details, click to zoom, ? for help',
				),
			),
	};
}

export function makeHelp(tree) {
	const dialog = html(
		'dialog',
		{ class: 'help', 'aria-label': 'Help' },
		html('h2', {}, 'Reading and keys'),
		html(
			'p',
			{},
			'Each box is a function; the box it stands on called it. The wider it is, the more samples had it on the stack. ' +
				'Its place to the left or right has no meaning. Hatched boxes stand for frames too narrow to draw.',
		),
		tree.diff
			? html(
					'p',
					{},
					'A is compared with B. A box is as wide as its share of B, and one that is gone as its share of A. ' +
						'Colour is the change from A to B: grey is no more than the sampling error, the strongest tone a doubling or a halving.',
				)
			: '',
		html(
			'table',
			{},
			html(
				'tbody',
				{},
				...KEYS.map(([keys, text]) =>
					html(
						'tr',
						{},
						html(
							'th',
							{ scope: 'row' },
							...keys
								.split(', ')
								.flatMap((key, i) => [i ? ' ' : '', html('kbd', {}, key)]),
						),
						html('td', {}, text),
					),
				),
			),
		),
		html('button', { type: 'button', onclick: () => dialog.close() }, 'Close'),
	);
	return dialog;
}
