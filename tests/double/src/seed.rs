//! The initial state of a double as one JSON document, for `glue-double --seed` and `POST /_double/seed`.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::{
    error::AwsError,
    faults::Fault,
    glue::{
        connections::ConnectionScript,
        crawlers::{CrawlScript, CrawlerSettings},
        jobs::JobDefinition,
        runs::RunScript,
        triggers::TriggerTimes,
    },
    iam::{AccessKey, DEFAULT_ACCOUNT, Policy, Role},
    limits::Rate,
    logs::LogPages,
    state::State,
};

/// A job in an account and region.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobSeed {
    /// The account; [`DEFAULT_ACCOUNT`] by default.
    #[serde(default = "default_account")]
    pub account: String,
    /// The region.
    pub region: String,
    /// The job.
    pub job: JobDefinition,
}

/// A crawler in an account and region.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CrawlerSeed {
    /// The account; [`DEFAULT_ACCOUNT`] by default.
    #[serde(default = "default_account")]
    pub account: String,
    /// The region.
    pub region: String,
    /// The crawler, as `CreateCrawler` takes it.
    pub crawler: CrawlerSettings,
    /// How its crawls run and end.
    #[serde(default)]
    pub script: CrawlScript,
}

/// How connections, triggers and logs behave in an account and region.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BehaviorSeed {
    /// The account; [`DEFAULT_ACCOUNT`] by default.
    #[serde(default = "default_account")]
    pub account: String,
    /// The region.
    pub region: String,
    /// How connections' changes and tests end, by name; `*` stands for all others.
    #[serde(default)]
    pub connections: HashMap<String, ConnectionScript>,
    /// How long triggers stay in transitional states.
    #[serde(default)]
    pub trigger_times: Option<TriggerTimes>,
    /// How pages of log events are cut.
    #[serde(default)]
    pub log_pages: Option<LogPages>,
    /// Whether the tokens of pages of log events expire that were given out until now.
    #[serde(default)]
    pub expire_log_tokens: bool,
}

fn default_account() -> String {
    DEFAULT_ACCOUNT.to_owned()
}

/// Everything that can be set in a double at once. Every member is optional.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Seed {
    /// Account ids.
    pub accounts: Vec<String>,
    /// Access keys.
    pub access_keys: Vec<AccessKey>,
    /// Roles.
    pub roles: Vec<Role>,
    /// Policies by the ARN of the user or role.
    pub policies: HashMap<String, Policy>,
    /// Subjects by web identity token.
    pub web_identities: HashMap<String, String>,
    /// Role ARNs by Pod Identity token.
    pub pod_identities: HashMap<String, String>,
    /// The script of jobs that are created over HTTP.
    pub default_script: Option<RunScript>,
    /// Jobs.
    pub jobs: Vec<JobSeed>,
    /// The script of crawlers that are created over HTTP.
    pub default_crawl_script: Option<CrawlScript>,
    /// Crawlers.
    pub crawlers: Vec<CrawlerSeed>,
    /// How connections, triggers and logs behave.
    pub behavior: Vec<BehaviorSeed>,
    /// Rate limits by operation.
    pub limits: HashMap<String, Rate>,
    /// Faults.
    pub faults: Vec<Fault>,
    /// Seconds that the clock advances in each real second.
    pub speed: Option<f64>,
    /// Whether signatures are checked.
    pub check_signatures: Option<bool>,
}

impl State {
    pub(crate) fn apply(&self, seed: Seed) -> Result<(), AwsError> {
        seed.accounts.iter().for_each(|account| self.iam.define_account(account));
        seed.access_keys.iter().for_each(|key| self.iam.define_access_key(key));
        seed.roles.into_iter().for_each(|role| self.iam.define_role(role));
        seed.policies.into_iter().for_each(|(arn, policy)| self.iam.set_policy(&arn, policy));
        seed.web_identities.iter().for_each(|(token, subject)| self.iam.define_web_identity(token, subject));
        seed.pod_identities.iter().for_each(|(token, role)| self.iam.define_pod_identity(token, role));
        if let Some(script) = seed.default_script {
            self.glue.set_default_script(script);
        }
        for JobSeed { account, region, job } in seed.jobs {
            self.glue.with_region(&account, &region, |region| region.define_job(job));
        }
        if let Some(script) = seed.default_crawl_script {
            self.glue.set_default_crawl_script(script);
        }
        for CrawlerSeed { account, region, crawler, script } in seed.crawlers {
            self.glue
                .with_region(&account, &region, |region| region.define_crawler(crawler.with_defaults(), script))?;
        }
        for behavior in seed.behavior {
            let BehaviorSeed { account, region, connections, trigger_times, log_pages, expire_log_tokens } = behavior;
            self.glue.with_region(&account, &region, |region| {
                if let Some(pages) = log_pages {
                    region.logs.set_pages(pages);
                }
                if expire_log_tokens {
                    region.logs.expire_tokens();
                }
                for (name, script) in connections {
                    region.script_connection(&name, script);
                }
                if let Some(times) = trigger_times {
                    region.set_trigger_times(times);
                }
            });
        }
        for (operation, rate) in seed.limits {
            self.limits.set_rate(&operation, rate);
        }
        for fault in seed.faults {
            self.faults.add(fault);
        }
        if let Some(speed) = seed.speed {
            self.clock.set_speed(speed);
        }
        if let Some(check) = seed.check_signatures {
            self.set_check_signatures(check);
        }
        Ok(())
    }
}
