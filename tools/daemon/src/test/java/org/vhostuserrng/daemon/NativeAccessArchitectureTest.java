package org.vhostuserrng.daemon;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import org.junit.jupiter.api.Test;

/** Native access lives in one package of each module that needs it; who may know whom beyond that is JPMS's to say. */
class NativeAccessArchitectureTest {
    private static final String FENCED = "org.vhostuserrng..sys..";

    private static final JavaClasses DAEMON = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages(
                    "org.vhostuserrng.transport",
                    "org.vhostuserrng.backends",
                    "org.vhostuserrng.device",
                    "org.vhostuserrng.daemon");

    @Test
    void isMadeInTheFencedPackagesOnly() {
        noClasses()
                .that()
                .resideOutsideOfPackage(FENCED)
                .should()
                .dependOnClassesThat()
                .belongToAnyOf(Linker.class, SymbolLookup.class)
                .check(DAEMON);
    }

    @Test
    void reinterpretsAddressesInTheFencedPackagesOnly() {
        noClasses()
                .that()
                .resideOutsideOfPackage(FENCED)
                .should()
                .callMethodWhere(DescribedPredicate.describe("reinterprets a segment", call -> {
                    AccessTarget.MethodCallTarget target = call.getTarget();
                    return target.getOwner().isEquivalentTo(MemorySegment.class)
                            && target.getName().equals("reinterpret");
                }))
                .check(DAEMON);
    }

    @Test
    void isNotReachedFromTheDevice() {
        noClasses()
                .that()
                .resideInAPackage("org.vhostuserrng.device..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage(FENCED)
                .check(DAEMON);
    }
}
