//! AWS insights: conversion between proto messages and domain values.

use cosell_grpc::convert::date;
use cosell_proto::cosell::opportunity::v1 as pb;

use super::{Reader, enum_value, number, show_money};
use crate::domain::{
    AwsInsights, AwsSoftwareRevenue, OpportunityQuality, Optimization, ProductInsights, Recommendation,
    SpendInsights, SpendInsightsBySource,
};

pub fn read(message: pb::AwsInsights) -> AwsInsights {
    let recommendations = message
        .recommendations
        .into_iter()
        .map(|recommendation| Recommendation {
            kind: recommendation.r#type,
            details: recommendation.details.into(),
            attributes: recommendation
                .attributes
                .into_iter()
                .map(|message| (message.key, message.value))
                .collect(),
        });
    let by_source = message.aws_products_spend_insights_by_source.unwrap_or_default();
    AwsInsights {
        next_best_actions: message.next_best_actions.into(),
        engagement_score: enum_value(message.engagement_score),
        opportunity_quality: message.opportunity_quality.map(|quality| OpportunityQuality {
            score: quality.score.unwrap_or_default(),
            trend: quality.trend,
        }),
        recommendations: recommendations.collect(),
        aws_products_spend_insights_by_source: SpendInsightsBySource {
            aws: by_source.aws.map(read_spend),
            partner: by_source.partner.map(read_spend),
        },
    }
}

fn read_spend(message: pb::AwsProductsSpendInsights) -> SpendInsights {
    let products = message.aws_products.into_iter().map(|message| ProductInsights {
        product_code: message.product_code,
        service_code: message.service_code,
        categories: message.categories,
        amount: message.amount,
        optimized_amount: message.optimized_amount,
        potential_savings_amount: message.potential_savings_amount,
        optimizations: message
            .optimizations
            .into_iter()
            .map(|message| Optimization {
                description: message.description,
                savings_amount: message.savings_amount,
            })
            .collect(),
    });
    SpendInsights {
        currency_code: message.currency_code,
        frequency: enum_value(message.frequency),
        total_amount: message.total_amount,
        total_optimized_amount: message.total_optimized_amount,
        total_potential_savings_amount: message.total_potential_savings_amount,
        total_amount_by_category: message
            .total_amount_by_category
            .into_iter()
            .map(|message| (message.category, message.amount))
            .collect(),
        aws_products: products.collect(),
    }
}

pub fn read_revenue(reader: &mut Reader, message: &pb::AwsSoftwareRevenue) -> AwsSoftwareRevenue {
    let at = |name: &str| format!("aws_opportunity_summary.software_revenue.{name}");
    AwsSoftwareRevenue {
        value: reader.money(message.value.as_ref(), &at("value")),
        discount: message.discount.clone().into(),
        effective_date: reader.date(message.effective_date.as_ref(), &at("effective_date")),
        expiration_date: reader.date(message.expiration_date.as_ref(), &at("expiration_date")),
    }
}

pub fn show(insights: &AwsInsights) -> pb::AwsInsights {
    let quality = insights.opportunity_quality.as_ref();
    let recommendations = insights.recommendations.iter();
    let SpendInsightsBySource { aws, partner } = &insights.aws_products_spend_insights_by_source;
    pb::AwsInsights {
        next_best_actions: insights.next_best_actions.reveal().clone(),
        engagement_score: number(insights.engagement_score),
        opportunity_quality: quality.map(|quality| pb::OpportunityQuality {
            score: Some(quality.score),
            trend: quality.trend.clone(),
        }),
        recommendations: recommendations
            .map(|recommendation| pb::Recommendation {
                r#type: recommendation.kind.clone(),
                details: recommendation.details.reveal().clone(),
                attributes: recommendation
                    .attributes
                    .clone()
                    .into_iter()
                    .map(|(key, value)| pb::RecommendationAttribute { key, value })
                    .collect(),
            })
            .collect(),
        aws_products_spend_insights_by_source: (aws.is_some() || partner.is_some()).then(|| {
            pb::AwsProductsSpendInsightsBySource {
                aws: aws.as_ref().map(show_spend),
                partner: partner.as_ref().map(show_spend),
            }
        }),
    }
}

fn show_spend(spend: &SpendInsights) -> pb::AwsProductsSpendInsights {
    let spend = spend.clone();
    let products = spend
        .aws_products
        .into_iter()
        .map(|product| pb::AwsProductInsights {
            product_code: product.product_code,
            service_code: product.service_code,
            categories: product.categories,
            amount: product.amount,
            optimized_amount: product.optimized_amount,
            potential_savings_amount: product.potential_savings_amount,
            optimizations: product
                .optimizations
                .into_iter()
                .map(|optimization| pb::AwsProductOptimization {
                    description: optimization.description,
                    savings_amount: optimization.savings_amount,
                })
                .collect(),
        });
    pb::AwsProductsSpendInsights {
        currency_code: spend.currency_code,
        frequency: number(spend.frequency),
        total_amount: spend.total_amount,
        total_optimized_amount: spend.total_optimized_amount,
        total_potential_savings_amount: spend.total_potential_savings_amount,
        total_amount_by_category: spend
            .total_amount_by_category
            .into_iter()
            .map(|(category, amount)| pb::CategoryAmount { category, amount })
            .collect(),
        aws_products: products.collect(),
    }
}

pub fn show_revenue(revenue: &AwsSoftwareRevenue) -> pb::AwsSoftwareRevenue {
    pb::AwsSoftwareRevenue {
        value: revenue.value.map(show_money),
        discount: revenue.discount.reveal().clone(),
        effective_date: revenue.effective_date.map(date),
        expiration_date: revenue.expiration_date.map(date),
    }
}
