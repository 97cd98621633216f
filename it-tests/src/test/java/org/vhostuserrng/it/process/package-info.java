/** Tests of the daemon as a process: command line, start, signals, resources, launcher, flight recordings. */
package org.vhostuserrng.it.process;
