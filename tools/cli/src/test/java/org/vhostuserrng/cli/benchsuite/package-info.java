/** What is made of the figures of a suite, and how they are read; the suite itself is run in it-tests. */
package org.vhostuserrng.cli.suite;
