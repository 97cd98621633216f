/** Unit tests of {@code metrics}: formats, HTTP server, alert rules and dashboard. */
package org.vhostuserrng.cli.metrics;
