/** {@code metrics}: exports the daemon's counters file to Prometheus and compatible systems. */
package org.vhostuserrng.cli.metrics;
