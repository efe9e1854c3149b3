// SPDX-License-Identifier: MIT
#include "harness/hypervisor/hypervisor.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/hypervisor/daemons.h"
#include "harness/hypervisor/domain_xml.h"
#include "harness/hypervisor/fake.h"
#include "harness/hypervisor/host_tsc.h"

namespace mosrig {
namespace {

constexpr const char* xml =
    "<domain type='qemu'><name>lab-node1</name><metadata>"
    "<mosrig:node xmlns:mosrig='urn:mosrig:1' cluster='lab' name='node1' id='1'/>"
    "</metadata></domain>";

TEST(DomainXml, NameAndTag) {
    EXPECT_EQ(domain_name(xml), "lab-node1");
    EXPECT_EQ(domain_tag(xml), "lab");
    EXPECT_EQ(domain_tag("<m:node cluster=\"lab\" xmlns:m=\"urn:mosrig:1\"/>"), "lab");
    EXPECT_EQ(domain_tag("<domain><name>x</name></domain>"), "");
    EXPECT_EQ(domain_tag("<other cluster='lab'/>"), "");
}

TEST(FakeHypervisor, LifeOfADomain) {
    FakeHypervisor fake;
    fake.add_foreign("someone");
    EXPECT_EQ(fake.state("lab-node1").value(), DomainState::absent);
    ASSERT_TRUE(fake.create(xml));
    EXPECT_FALSE(fake.create(xml)) << "names are unique";
    EXPECT_EQ(fake.state("lab-node1").value(), DomainState::running);
    const auto all = fake.list();
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 2U);
    EXPECT_EQ((*all)[0].tag, "lab");
    EXPECT_EQ((*all)[1].tag, "");
    EXPECT_TRUE(fake.destroy("lab-node1"));
    EXPECT_TRUE(fake.destroy("lab-node1")) << "nothing to end is no error";
}

TEST(HostTsc, TwoMeasurementsAgree) {
    const double first = static_cast<double>(host_tsc_khz());
    if (first == 0) {
        GTEST_SKIP() << "no counter that runs evenly";
    }
    EXPECT_GT(first, 100'000);
    EXPECT_LT(first, 10'000'000);
    EXPECT_NEAR(static_cast<double>(host_tsc_khz()), first, first / 1000);
}

TEST(Daemons, ANameProtectsAgainstAReusedPid) {
    EXPECT_TRUE(is_program(::getpid(), "hypervisor_test"));
    EXPECT_FALSE(is_program(::getpid(), "libvirtd"));
    EXPECT_FALSE(is_program(0, ""));
    EXPECT_TRUE(end_process(::getpid(), "libvirtd")) << "somebody else's: left alone";
}

TEST(Daemons, OneThatNobodyHasReapedYetHasEnded) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(0);
    }
    siginfo_t ended = {};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0);
    EXPECT_FALSE(is_program(child, "hypervisor_test"));
    EXPECT_EQ(::waitpid(child, nullptr, 0), child);
}

TEST(Libvirt, AWrongUriIsAnErrorWithItsName) {
    const auto connected = connect_libvirt("qemu:///nowhere");
    ASSERT_FALSE(connected);
    EXPECT_NE(connected.error().what.find("qemu:///nowhere"), std::string::npos);
}

}  // namespace
}  // namespace mosrig
