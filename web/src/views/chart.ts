// SPDX-License-Identifier: MIT
import type { View } from '../app/app.js';

export function makeChart(): View {
	return {
		mount(root) {
			root.textContent = 'chart: not yet';
		},
		update() {},
		help: [],
	};
}
